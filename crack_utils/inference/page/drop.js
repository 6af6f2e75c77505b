// Lets a picture be dropped anywhere on the inspector, which ipywidgets' upload button does not know of, and holds back
// one that is too large: a message larger than the server takes would cut the page off from its kernel without a word.
window.crackUtilsLimit = LIMIT; // [bytes]

if (!window.crackUtilsDrop) {
  window.crackUtilsDrop = true;
  let dropped = null;
  const uploadOf = (event) => event.target.closest?.(".crack-inspector")?.querySelector("button.widget-upload");

  // In place of a picture that is too large goes an empty one, whose type says how large it was.
  const holdBack = (event) => {
    const file = event.target.files[0];
    if (!file || file.size <= window.crackUtilsLimit) return;
    const instead = new DataTransfer();
    instead.items.add(new File([], file.name, { type: `too-large/${file.size}` }));
    event.target.files = instead.files;
  };

  // The button's input is in no document; it is met where the button calls its click().
  document.addEventListener("click", (event) => {
    const upload = uploadOf(event);
    if (!upload?.contains(event.target) || upload.disabled) return;
    const click = HTMLInputElement.prototype.click;
    HTMLInputElement.prototype.click = function () {
      HTMLInputElement.prototype.click = click;
      this.addEventListener("change", holdBack, true); // before the button's own; added again, it stays one
      if (!dropped) return this.click();
      this.files = dropped;
      this.dispatchEvent(new Event("change"));
    };
  }, true);

  document.addEventListener("dragover", (event) => uploadOf(event) && event.preventDefault());

  document.addEventListener("drop", (event) => {
    const upload = uploadOf(event);
    if (!upload) return;
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    const first = new DataTransfer();
    first.items.add(event.dataTransfer.files[0]);
    dropped = first.files;
    upload.click();
    dropped = null;
  });
}
