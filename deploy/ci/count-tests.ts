/**
 * Adds up the JSON reports of vitest given as arguments and prints `passed failed`. A report that
 * is missing, or that says it did not succeed without naming a test, counts as one failed test: a
 * run that broke down must not look like a run with nothing to do.
 */
import { readFileSync } from 'node:fs';

interface Report {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
}

function readReport(path: string): Report {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Report;
  } catch {
    return { success: false, numPassedTests: 0, numFailedTests: 0 };
  }
}

let passed = 0;
let failed = 0;
for (const path of process.argv.slice(2)) {
  const report = readReport(path);
  passed += report.numPassedTests;
  failed += report.success ? report.numFailedTests : Math.max(1, report.numFailedTests);
}
process.stdout.write(`${passed} ${failed}\n`);
