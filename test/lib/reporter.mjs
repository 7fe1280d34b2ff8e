// A node:test reporter: one JSON line per test, in the words of "go test -json", for scripts/promises.
export default async function* reporter(source) {
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details?.type === 'suite' || data.name.endsWith('.test.js')) continue;
    const Action = data.skip !== undefined || data.todo !== undefined ? 'skip' : type === 'test:pass' ? 'pass' : 'fail';
    yield `${JSON.stringify({ Action, Test: data.name, Elapsed: data.details.duration_ms / 1000 })}\n`;
  }
}
