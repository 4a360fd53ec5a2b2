/** The style of the page: dense, light or dark like the system, with cards instead of rows on narrow screens. */

/** Contrast is at least 4.5 : 1 in both schemes. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --text: #1b1f24; --quiet: #57606a; --ground: #fff; --raised: #f6f8fa; --line: #d0d7de; --link: #0550ae;
  --bad: #b3261e; --bad-ground: #fdecea; --good: #1a6b33; --waiting: #6b5200; --band: #c9dcef; --curve: #24527a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e6edf3; --quiet: #9aa3ad; --ground: #0d1117; --raised: #161b22; --line: #30363d; --link: #79b8ff;
    --bad: #ff8a80; --bad-ground: #2c1719; --good: #6fce88; --waiting: #e3c46a; --band: #1f3a55; --curve: #9ccbff;
  }
}
* { box-sizing: border-box; }
body {
  max-width: 76rem; margin: 0 auto; padding: 1rem 1.25rem 2rem; font: .9375rem/1.45 system-ui, sans-serif;
  color: var(--text); background: var(--ground); overflow-wrap: anywhere;
}
a { color: var(--link); }
a:focus-visible, button:focus-visible, input:focus-visible, summary:focus-visible, [tabindex]:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
h1 { font-size: 1.15rem; margin: 0; }
h2 { font-size: 1rem; margin: 1.75rem 0 .5rem; }
small { font-size: .8125rem; color: var(--quiet); }
h1 small { font-weight: normal; }
time small { white-space: nowrap; }
p { margin: .25rem 0 .5rem; }
ul { margin: .25rem 0; padding-left: 1.2rem; }
.quiet, footer { color: var(--quiet); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
header { display: flex; flex-wrap: wrap; gap: .25rem 2rem; align-items: baseline; justify-content: space-between; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: 0; padding: 0; }
#summary { margin: 1rem 0; padding: .6rem .9rem; font-size: 1.125rem; background: var(--raised); border-left: 4px solid var(--line); }
.controls { display: flex; flex-wrap: wrap; gap: .5rem 2rem; align-items: center; justify-content: space-between; }
form { display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: center; }
label { color: var(--quiet); }
input, button {
  font: inherit; color: var(--text); background: var(--ground); border: 1px solid var(--quiet); border-radius: 4px;
  padding: .2rem .5rem;
}
input { width: 11rem; max-width: 100%; }
input::placeholder { color: var(--quiet); opacity: 1; }
button { background: var(--raised); cursor: pointer; }
button[aria-pressed=true] { border-style: double; border-width: 3px; padding: calc(.2rem - 2px) calc(.5rem - 2px); }
.refresh { display: flex; flex-wrap: wrap; gap: .75rem; align-items: center; margin: 0; color: var(--quiet); }
.problem { color: var(--bad); }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .4rem .75rem .4rem 0; border-top: 1px solid var(--line); vertical-align: top; text-align: left; }
th { font-weight: 600; }
thead th { border-top: 0; font-size: .8125rem; color: var(--quiet); white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.pods th small, .pods td small { display: block; font-weight: normal; }
.pods tbody th { width: 28%; font-weight: normal; }
.pods td:nth-child(3) { width: 16%; }
.pods td.number { white-space: nowrap; }
.pods tbody .flagged > th { box-shadow: inset 3px 0 var(--bad); padding-left: .6rem; }
.pods tr > th:first-child { padding-left: .6rem; }
.pods .flagged strong, .incident .now { color: var(--bad); font-weight: 600; }
.pods tr:not(.flagged) .now { color: inherit; font-weight: normal; }
/* Very long names; all of them is there for those who point, focus, copy or listen. */
.name, .pods a bdi, .incident a bdi { display: -webkit-inline-box; vertical-align: bottom; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
.pods tr:hover bdi, .pods tr:focus-within bdi, .incident:hover bdi, .incident:focus-within bdi { -webkit-line-clamp: none; }
.common { padding: .1rem .9rem; background: var(--raised); border-left: 4px solid var(--bad); }
.incidents { list-style: none; margin: .5rem 0 1rem; padding: 0; }
.incident {
  display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: .25rem 1.5rem; padding: .7rem 0 .7rem .9rem;
  border-top: 1px solid var(--line); border-left: 4px solid var(--waiting);
}
.incident.lasting { border-left-color: var(--bad); }
.incident h3 { grid-column: 1 / -1; margin: 0; font-size: 1.0625rem; }
.incident h3 a { font-weight: 600; }
.incident .about p { font-size: 1.0625rem; margin: 0 0 .25rem; }
.incident .picture { grid-column: 2; grid-row: 2 / span 2; }
.incident details { grid-column: 1 / -1; }
.also { display: block; }
.also .now { color: inherit; }
.facts { display: flex; flex-wrap: wrap; gap: .1rem 1.5rem; margin: 0; }
.facts dt { display: inline; font-weight: normal; color: var(--quiet); }
.facts dd { display: inline; }
.next { display: flex; flex-wrap: wrap; gap: 0 1.25rem; margin: 0; color: var(--quiet); font-size: .875rem; }
summary { cursor: pointer; color: var(--link); width: fit-content; }
.plot { display: block; width: 11.25rem; height: 2.75rem; background: var(--raised); }
.picture .plot { width: 18rem; height: 4.4rem; }
.band { fill: var(--band); }
.line { fill: none; stroke: var(--curve); stroke-width: 1.5; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
.flagged-span { fill: var(--bad); opacity: .14; }
.flagged-bar { fill: var(--bad); }
.features tbody th, .features td, .siblings td { width: auto !important; }
.features td strong { white-space: nowrap; color: inherit; }
.days { display: flex; flex-wrap: wrap; gap: 1rem 2rem; }
.days figure { flex: 1 1 20rem; margin: 0; min-width: 0; }
.plot.day { width: 100%; height: 7rem; }
.line.before { stroke-dasharray: 2 4; }
.axis { display: flex; justify-content: space-between; margin: 0; font-size: .8125rem; color: var(--quiet); }
section.incident { display: block; margin-top: 1rem; border-top: 0; }
.incident h2 { grid-column: 1 / -1; margin: 0; font-size: 1.125rem; }
.incident.calm { border-left-color: var(--good); }
.state { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)); gap: .5rem 2rem; margin: 0; }
.state div { border-top: 1px solid var(--line); padding-top: .4rem; }
dt { font-weight: 600; }
dd { margin: 0; }
.mark { font-weight: 600; font-size: .8125rem; padding: 0 .4rem; border: 1px solid; border-radius: 999px; white-space: nowrap; }
.mark.ok { color: var(--good); }
.mark.problem { color: var(--bad); background: var(--bad-ground); }
.mark.waiting { color: var(--waiting); }
.findings li { margin-bottom: .5rem; }
.findings.error { margin: 1rem 0; padding: .1rem .9rem .4rem; border: 1px solid var(--bad); border-radius: 4px; }
.findings.error h2 { margin-top: .5rem; color: var(--bad); }
footer { margin-top: 2.5rem; font-size: .8125rem; }
footer caption { text-align: left; font-weight: 600; padding-bottom: .25rem; }
footer th { font-weight: normal; white-space: nowrap; }
@media (max-width: 56rem) {
  .incident { grid-template-columns: minmax(0, 1fr); }
  .incident .picture { grid-column: 1; grid-row: auto; }
  .pods, .pods tbody, .pods tr, .pods tbody th, .pods td { display: block; width: auto !important; }
  .pods thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .pods tr { border-top: 1px solid var(--line); padding: .5rem 0; }
  .pods th, .pods td { border: 0; padding: .1rem 0 .1rem .6rem; text-align: left; }
  .pods tbody td { display: grid; grid-template-columns: 5.5rem 1fr; gap: .5rem; }
  .pods tbody td::before { content: attr(data-label); color: var(--quiet); }
  .pods td.number { white-space: normal; }
  .plot { max-width: 100%; }
  footer th, footer td { display: block; border-top: 0; padding: 0; }
  footer td { padding-bottom: .5rem; }
}
`;
