// How serious a line is, by what it begins with.

export const DEBUG = 0;
export const INFO = 1;
export const WARNING = 2;
export const ERROR = 3;

const WORDS = {
  TRACE: DEBUG, DEBUG: DEBUG, INFO: INFO, NOTICE: INFO, SUCCESS: INFO, WARN: WARNING, WARNING: WARNING,
  ERROR: ERROR, ERR: ERROR, FATAL: ERROR, CRITICAL: ERROR, SEVERE: ERROR, ALERT: ERROR, EMERGENCY: ERROR, PANIC: ERROR,
};
const ANY = Object.keys(WORDS).join("|");
// "ERROR: …", "[warning] …", "level=error …": the first word.
const FIRST = new RegExp(`^[\\s\\[(<|]*(?:level=|"level":\\s*)?"?(${ANY})\\b(?=["\\])>|:\\s,-]|$)`, "i");
const IS_SAID_LOUD = new RegExp(`^[\\s\\[(<|]*(?:${ANY}|[A-Za-z]+[:\\])>|"]|level=|"level")`);
// "2026-01-31 12:00:00,123 shop.load ERROR …", "[12:00:00] {load.py:3} WARNING - …": after a time.
const TIMED = new RegExp(`^\\W*\\d{1,4}[-/:.]\\d\\d.{0,100}?\\b(${ANY})\\b`);
const BEGINS_TRACE = /^\s*(?:Traceback \(most recent call last\)|Exception in thread|\s+\+ Exception Group Traceback)/;
const RAISED = /^[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt)(?::|$)/;

export class Levels {
  #ofBlock = INFO;
  #isTrace = false;

  // The level of the next line. What is indented, and a traceback, belong to what comes before.
  next(line) {
    // What matters stands at the beginning, and a line may have megabytes.
    const text = line.slice(0, 240);
    const own = spoken(text);
    if (own !== null) {
      this.#isTrace = false;
      this.#ofBlock = own;
      return own;
    }
    if (BEGINS_TRACE.test(text)) {
      this.#isTrace = true;
      this.#ofBlock = ERROR;
      return ERROR;
    }
    if (/^\s+\S/.test(text)) return this.#ofBlock;
    if (this.#isTrace || RAISED.test(text)) {
      this.#isTrace = text === "";
      this.#ofBlock = ERROR;
      return ERROR;
    }
    this.#ofBlock = INFO;
    return INFO;
  }
}

function spoken(text) {
  const first = FIRST.exec(text);
  // "Error handling was changed" is a sentence; "error: …" and "ERROR …" are levels.
  if (first && IS_SAID_LOUD.test(text)) return WORDS[first[1].toUpperCase()];
  const timed = TIMED.exec(text);
  return timed ? WORDS[timed[1]] : null;
}
