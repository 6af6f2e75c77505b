// Shows one step of the slider: the masks, their mean IoU, and the order of the networks.
(() => {
  const box = document.currentScript.closest(".threshold-slider");
  const data = JSON.parse(box.querySelector('script[type="application/json"]').textContent);
  const input = box.querySelector("input");
  const masks = [...box.querySelectorAll(".moving .mask")];
  const scores = [...box.querySelectorAll(".moving .score")];

  function show() {
    const step = Number(input.value);
    const label = data.labels[step];
    box.querySelector("output").textContent = label;
    input.setAttribute("aria-valuetext", label);
    const order = data.networks.map((network) => [network.mean_iou[step].toFixed(3), network.title]);
    order.sort((a, b) => b[0] - a[0]);
    data.networks.forEach((network, i) => {
      masks[i].src = network.masks[step];
      masks[i].alt = `What the network trained with ${network.title} marks as crack`;
      scores[i].textContent = network.mean_iou[step].toFixed(3);
      masks[i].parentElement.classList.toggle("best", scores[i].textContent === order[0][0]);
    });
    const sign = (i) => (i ? (order[i][0] === order[i - 1][0] ? " = " : " > ") : "");
    box.querySelector(".order").textContent = "Mean IoU: " + order.map(([, title], i) => sign(i) + title).join("");
  }

  box.querySelector(".still").classList.add("print-only");
  box.querySelector(".moving").hidden = false;
  input.addEventListener("input", show);
  show();
})();
