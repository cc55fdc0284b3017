'use strict';
// Says of each thing that must hold whether it does: one line each, which `run` puts in its table.

// A program that ends before its end has failed: a promise that nothing resolves ends Node quietly.
process.exitCode = 1;

let failed = 0;

// `body` throws if it does not hold. What it returns is for the checks that follow.
async function check(what, body) {
  try {
    const value = await body();
    console.log(`passed\t${what}`);
    return value;
  } catch (error) {
    failed++;
    console.log(`failed\t${what}`);
    console.error(error);
    return undefined;
  }
}

// Asks until the answer is no longer undefined: the hub's events are on their way for a moment.
async function until(what, ask, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new Error(`still not so after ${seconds} seconds: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function run(main) {
  main().then(
    () => process.exit(failed === 0 ? 0 : 1),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
}

module.exports = { check, until, run };
