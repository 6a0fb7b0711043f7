// The button "Copy link" copies the address of the view, and says so; no request leaves the browser.
addEventListener("click", async (event) => {
  const button = event.target.closest?.(".copy-link button");
  if (!button) return;
  const said = button.parentElement.querySelector("[role=status]");
  const copied = await navigator.clipboard?.writeText(location.href).then(() => true, () => false);
  said.textContent = copied || copySelected(button) ? "Link copied" : "Not allowed here: copy the address from the browser's bar";
  clearTimeout(said.timer);
  said.timer = setTimeout(() => { said.textContent = ""; }, 4000);

  // Without https, browsers have no navigator.clipboard, except for this machine's own address
  function copySelected(focused) {
    const field = document.body.appendChild(document.createElement("textarea"));
    field.value = location.href;
    field.select();
    const isDone = document.execCommand("copy");
    field.remove();
    focused.focus();
    return isDone;
  }
});
