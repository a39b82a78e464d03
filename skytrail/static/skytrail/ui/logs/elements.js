// Elements by script: text stays text.

export function el(name, { text, dataset, ...properties } = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-") || key === "role") element.setAttribute(key, value);
    else element[key] = value;
  }
  Object.assign(element.dataset, dataset);
  if (text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
}

export const amount = (number) => number.toLocaleString("en-US");
