/**
 * Gives a process another time of day than the machine's: `CLOCK_OFFSET_MS=3600000 node -r ./shifted-clock.cjs …` is an
 * hour ahead. Only `Date` is changed, as by a clock that is set wrongly; timers run as ever.
 */
'use strict';
const offsetMs = Number(process.env.CLOCK_OFFSET_MS);
const RealDate = Date;

class ShiftedDate extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + offsetMs);
    else super(...args);
  }
  static now() {
    return RealDate.now() + offsetMs;
  }
}
globalThis.Date = ShiftedDate;
