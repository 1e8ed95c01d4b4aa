// A test that takes an hour of the clock and none of the tester's.
import assert from 'node:assert/strict';
import type { Clock } from '@tierkit/core';
import { createManualClock } from '@tierkit/core/testing';

function remindHourly(clock: Clock, remind: () => void): void {
  clock.setTimeout(() => {
    remind();
    remindHourly(clock, remind);
  }, 3_600_000);
}

const clock = createManualClock(Date.UTC(2026, 0, 1));
let reminders = 0;
remindHourly(clock, () => reminders++);
clock.advance(10 * 3_600_000);
assert.equal(reminders, 10);
process.stdout.write(`${reminders} reminders by ${new Date(clock.now()).toISOString()}\n`);
