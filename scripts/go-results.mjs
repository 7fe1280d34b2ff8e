// Reads "go test -json" on stdin: keeps it in the file named, prints a line per package and what failed, and a closing
// line; ends with 1 if anything failed.
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';

const keep = createWriteStream(process.argv[2]);
const output = new Map(); // "package test" → its lines
const count = { pass: 0, fail: 0, skip: 0 };
let broken = 0;

for await (const line of createInterface({ input: process.stdin })) {
  keep.write(`${line}\n`);
  let e;
  try { e = JSON.parse(line); } catch { console.log(line); continue; }
  const key = `${e.Package ?? e.ImportPath} ${e.Test ?? ''}`;
  switch (e.Action) {
    case 'output': case 'build-output':
      output.set(key, [...(output.get(key) ?? []), e.Output]);
      break;
    case 'build-fail':
      broken++;
      process.stdout.write((output.get(key) ?? []).join(''));
      break;
    case 'pass': case 'fail': case 'skip':
      if (e.Test) {
        if (!e.Test.includes('/')) count[e.Action]++;
        if (e.Action === 'fail') process.stdout.write((output.get(key) ?? []).join(''));
      } else {
        if (e.Action === 'fail') { broken++; process.stdout.write((output.get(key) ?? []).join('')); }
        if (e.Action === 'pass') console.log(`ok    ${e.Package} ${e.Elapsed.toFixed(1)} s`);
      }
      output.delete(key);
  }
}
keep.end();
console.log(`go: ${count.pass} passed, ${count.fail} failed, ${count.skip} skipped${broken ? `, ${broken} packages failed` : ''}`);
process.exitCode = count.fail + broken ? 1 : 0;
