package emulator

// styleSheet is the style of every page. Colours keep at least 4.5:1 for text and 3:1 for borders and focus rings, in
// light and dark (WCAG 2.2 AA, 1.4.3 and 1.4.11); TestContrast computes it.
const styleSheet = `
:root {
  --ground: #f2f4f7; --card: #ffffff; --text: #16191f; --quiet: #4c5663; --edge: #7d8794; --line: #d5dae1;
  --accent: #0a5bb5; --on-accent: #ffffff; --accent-strong: #084a94;
  --alert: #a31515; --alert-ground: #fdecec; --note-ground: #eaf2fb;
}
.idp { --accent: #1f6b4f; --accent-strong: #17533d; --ground: #eef3f0; }
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f141a; --card: #1a212a; --text: #eceff3; --quiet: #b3bdc9; --edge: #8592a1; --line: #35404d;
    --accent: #7ab8ff; --on-accent: #0b1b2e; --accent-strong: #a5cfff;
    --alert: #ffb4ab; --alert-ground: #3a1a1a; --note-ground: #1d2c3d;
  }
  .idp { --accent: #7fd6b0; --on-accent: #08241a; --accent-strong: #a8e6cb; --ground: #0f1613; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; min-height: 100vh; display: flex; flex-direction: column; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere;
}
header, main, footer { width: 100%; max-width: 30rem; margin: 0 auto; padding: 0 calc(1.5rem + 1px); }
header { padding-top: 2rem; }
.brand { display: flex; align-items: center; gap: .6rem; margin: 0 0 1rem; font-weight: 600; }
.mark { width: 1.25rem; height: 1.25rem; border-radius: .3rem; background: var(--accent); }
.idp .mark { border-radius: 50%; }
main { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.5rem; }
@media (max-width: 32rem) {
  header, footer { padding-left: 1rem; padding-right: 1rem; }
  header { padding-top: 1rem; }
  main { border-width: 1px 0; border-radius: 0; padding: 1.25rem 1rem; }
}
h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25; }
p { margin: 0 0 1rem; }
ul { margin: 0 0 1rem; padding-left: 1.25rem; }
main > :last-child, form > :last-child { margin-bottom: 0; }
.quiet, footer { color: var(--quiet); }
li + li { margin-top: .5rem; }
li .quiet { display: block; font-size: .875rem; }
code { font-family: ui-monospace, "SF Mono", Consolas, "Liberation Mono", monospace; }
.note { background: var(--note-ground); border-radius: .5rem; padding: .75rem; font-size: .9375rem; }
.alert { background: var(--alert-ground); color: var(--alert); border: 1px solid var(--alert); border-radius: .5rem; padding: .75rem; }
.field { margin: 0 0 1rem; }
label { display: block; margin: 0 0 .25rem; font-weight: 600; }
label .quiet { font-weight: 400; }
input {
  width: 100%; min-height: 2.75rem; padding: .5rem .75rem; font: inherit; color: var(--text); background: var(--card);
  border: 1px solid var(--edge); border-radius: .5rem;
}
input::placeholder { color: var(--quiet); opacity: 1; }
input[aria-invalid="true"] { border-color: var(--alert); }
.code { font-family: ui-monospace, "SF Mono", Consolas, "Liberation Mono", monospace; letter-spacing: .08em; }
input.code { font-size: 1.25rem; text-transform: uppercase; }
strong.code { white-space: nowrap; }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; }
button {
  flex: 1 1 10rem; min-height: 2.75rem; padding: .5rem 1rem; font: inherit; font-weight: 600; cursor: pointer;
  color: var(--text); background: var(--card); border: 1px solid var(--edge); border-radius: .5rem;
}
button:hover { border-color: var(--text); }
button.primary { color: var(--on-accent); background: var(--accent); border-color: var(--accent); }
button.primary:hover { background: var(--accent-strong); border-color: var(--accent-strong); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
footer { padding-top: 1rem; padding-bottom: 2rem; }
footer p { margin: 0; font-size: .8125rem; }
small { font-size: inherit; }
@media (forced-colors: active) { .mark { forced-color-adjust: none; } }
`
