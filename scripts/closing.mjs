// Prints what the runners of the last make test counted, from test/out: go.jsonl, netlab.jsonl and e2e-<folder>-<file>.jsonl.
import { readdirSync, readFileSync } from 'node:fs';

const out = new URL('../test/out/', import.meta.url);
const counts = new Map(); // runner → {pass, fail, skip}
for (const file of readdirSync(out).filter((f) => /^(go|netlab|e2e-.*)\.jsonl$/.test(f))) {
  const runner = file.split(/[.-]/).slice(0, 2).join(' ').replace(' jsonl', '');
  const count = counts.get(runner) ?? { pass: 0, fail: 0, skip: 0 };
  counts.set(runner, count);
  for (const line of readFileSync(new URL(file, out), 'utf8').split('\n')) {
    if (!line.startsWith('{')) continue;
    const { Action, Test } = JSON.parse(line);
    if (Test && Action in count && (runner.startsWith('e2e') || !Test.includes('/'))) count[Action]++;
  }
}
for (const [runner, c] of [...counts].sort()) console.log(`${runner}: ${c.pass} passed, ${c.fail} failed, ${c.skip} skipped`);
