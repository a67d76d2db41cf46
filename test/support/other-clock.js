/**
 * Loaded before the program that a test starts (`--import`): its wall clock is so many milliseconds
 * off, as that of a host whose clock was never set.
 */
const offsetMs = Number(process.env.TEST_CLOCK_OFFSET_MS);
const { now } = Date;

Date.now = () => now() + offsetMs;
