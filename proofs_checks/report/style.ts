/** The page's style sheet: light and dark by the reader's preference, and every plot in two widths. */
export const STYLE = `
:root { color-scheme: light dark; --paper: #fdfdfb; --ink: #1c1f23; --muted: #656b73; --line: #e2e3e0; --card: #f4f4f0;
  --good: #1a7f4b; --bad: #c0362c; --unsure: #a87400; --good-soft: #cfe9da; --bad-soft: #f6d3cf; --expected-soft: #d9dfee; --unsure-soft: #f3e3bd;
  --s0: #1f6fb5; --s1: #d1661c; --s2: #1a8f63; --s3: #b0449b; --s4: #7a5cc0; --s5: #9a7a00; --s6: #00859b; --s7: #8a4b32;
  --h0: #fdfdfb; --h1: #dce8f3; --h2: #b3cde6; --h3: #84add5; --h4: #5689bf; --h5: #2e64a0; --h6: #133d74; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181b; --ink: #e6e6e3; --muted: #9aa0a8; --line: #33373c; --card: #1f2226;
  --good: #53c58b; --bad: #f0786c; --unsure: #dfae45; --good-soft: #1d4532; --bad-soft: #5b2722; --expected-soft: #2c3550; --unsure-soft: #4d3d16;
  --s0: #6db3ee; --s1: #f0965a; --s2: #5bcb9d; --s3: #e18bd0; --s4: #b09af0; --s5: #d9bd4a; --s6: #4fc6da; --s7: #cf957c;
  --h0: #16181b; --h1: #1b2b40; --h2: #214468; --h3: #2c6293; --h4: #4486bb; --h5: #74add8; --h6: #c3e0f5; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1180px; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; } h2 { font-size: 1.25rem; margin: 2.6rem 0 .6rem; } h3 { font-size: 1rem; margin: 1.6rem 0 .2rem; }
p { margin: .4rem 0; max-width: 46rem; } .muted, figcaption { color: var(--muted); font-size: .9rem; } a { color: inherit; }
.words { margin: .6rem 0; padding-left: 1.3rem; max-width: 46rem; } .words li { margin: .35rem 0; }
.numbers { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1rem 0; padding: 0; list-style: none; }
.numbers li { background: var(--card); border-radius: .5rem; padding: .5rem .9rem; min-width: 7rem; } .numbers b { display: block; font-size: 1.5rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.good b { color: var(--good); } .bad b { color: var(--bad); } .unsure b { color: var(--unsure); }
figure { margin: 1.4rem 0 2rem; } figure svg { display: block; max-width: 100%; height: auto; } figcaption { max-width: 46rem; margin-bottom: .5rem; }
.narrow { display: none; } @media (max-width: 700px) { .wide { display: none; } .narrow { display: block; } }
.scroll { overflow: auto; max-height: 92vh; border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: separate; border-spacing: 0; font-size: .8rem; } td, th { padding: .2rem .4rem; text-align: left; font-weight: normal; }
.heat th { background: var(--paper); } .heat thead th { position: sticky; top: 0; z-index: 1; vertical-align: bottom; }
.heat thead th span { writing-mode: vertical-rl; transform: rotate(180deg); white-space: nowrap; max-height: 13rem; }
.heat tbody th, .heat thead th:first-child { position: sticky; left: 0; z-index: 1; white-space: nowrap; border-right: 1px solid var(--line); } .heat thead th:first-child { z-index: 2; }
.heat td { width: 1.55rem; min-width: 1.55rem; height: 1.55rem; padding: 0; text-align: center; border: 1px solid var(--paper); border-radius: .25rem; }
.holds { background: var(--good-soft); } .expected { background: var(--expected-soft); } .against { background: var(--bad); color: var(--paper); } .inconclusive { background: var(--unsure-soft); } .error { background: var(--bad-soft); outline: 2px dashed var(--bad); outline-offset: -2px; } .not-applicable { color: var(--muted); } .vacuous { background: var(--bad-soft); }
.key span { padding: .05rem .5rem; border-radius: .25rem; margin: 0 .6rem .3rem 0; white-space: nowrap; display: inline-block; }
@media (max-width: 700px) { .heat tbody th { max-width: 8.5rem; overflow: hidden; text-overflow: ellipsis; } }
code { font: .8rem/1.45 ui-monospace, monospace; overflow-wrap: anywhere; } .case { border-left: 3px solid var(--line); padding: .1rem 0 .1rem .8rem; margin: .8rem 0; }
.case.against { background: none; color: inherit; border-color: var(--bad); } .case.expected { background: none; border-color: var(--s0); } .case.inconclusive { background: none; border-color: var(--unsure); } .case.vacuous { background: none; border-color: var(--bad); } .case.error { background: none; outline: none; border-color: var(--bad); border-left-style: dashed; }
details { margin: .5rem 0; } summary { cursor: pointer; } dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .8rem; font-size: .88rem; margin: .3rem 0 .8rem; } dt { color: var(--muted); } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 500px) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .3rem; } }
.all td, .all th { border-bottom: 1px solid var(--line); white-space: nowrap; } .all td.number { text-align: right; font-variant-numeric: tabular-nums; }
`;
