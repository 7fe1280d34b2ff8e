// Prints what the runners of the last make test counted, from test/out/*.jsonl.
import { readdirSync, readFileSync } from 'node:fs';

const out = new URL('../test/out/', import.meta.url);
for (const file of readdirSync(out).filter((f) => f.endsWith('.jsonl')).sort()) {
  const count = { pass: 0, fail: 0, skip: 0 };
  for (const line of readFileSync(new URL(file, out), 'utf8').split('\n')) {
    if (!line.startsWith('{')) continue;
    const { Action, Test } = JSON.parse(line);
    if (Test && Action in count && (file !== 'go.jsonl' || !Test.includes('/'))) count[Action]++;
  }
  console.log(`${file.replace('.jsonl', '')}: ${count.pass} passed, ${count.fail} failed, ${count.skip} skipped`);
}
