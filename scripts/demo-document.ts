// What `npm run demo -- --json` has to print, as a list of checks over the text. Pure.

export interface DemoCheck {
  /** In the present tense. */
  readonly name: string;
  readonly passed: boolean;
  /** What came instead, where that helps. */
  readonly got: string;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});
const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isFields) : []);
const isMs = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value) && value >= 0;
const isText = (value: unknown): value is string => typeof value === "string" && value.trim() !== "";

/** A delegation call may hold the conversation for this long on a busy machine; a blocking one takes seconds. */
const LONGEST_BLOCKED_MS = 250;

const TERMINAL = new Set<unknown>(["done", "cancelled", "failed"]);

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The first check says so; the others fail on the empty document.
    return undefined;
  }
}

/** Contract: never throws; `text` is the whole of what the demo wrote on stdout. */
export function checkDemo(text: string): readonly DemoCheck[] {
  const document = parse(text);
  const demo = fieldsOf(document);
  const checks: DemoCheck[] = [];
  const check = (name: string, passed: boolean, got: unknown = ""): number =>
    checks.push({ name, passed, got: typeof got === "string" ? got : (JSON.stringify(got) ?? "nothing") });
  check("stdout holds one JSON object and nothing else", isFields(document), text.slice(0, 200));
  const { backend } = demo;
  check("the backend is named", backend === "simulated" || backend === "ollama", backend);
  checkConversation(fieldsOf(demo["conversation"]), check);
  checkTasks(listOf(demo["tasks"]), check);
  return checks;
}

type Check = (name: string, passed: boolean, got?: unknown) => void;

function checkConversation(conversation: Fields, check: Check): void {
  const {
    longest_blocked_ms: blocked,
    longest_wait_ms: wait,
    answered_while_running: answered,
  } = conversation;
  check("the longest block is a figure in milliseconds", isMs(blocked), blocked);
  const free = isMs(blocked) && Number(blocked) <= LONGEST_BLOCKED_MS;
  check(`no delegation call holds the conversation over ${LONGEST_BLOCKED_MS} ms`, free, blocked);
  check("the longest wait is a figure in milliseconds", isMs(wait), wait);
  const alive = answered === true || (typeof answered === "number" && answered >= 1);
  check("a message is answered while children run", alive, answered);
}

function checkTasks(tasks: readonly Fields[], check: Check): void {
  const ids = tasks.map((task) => task["task_id"]);
  const distinct = ids.length > 0 && ids.every(isText) && new Set(ids).size === ids.length;
  const states = tasks.map((task) => task["state"]);
  const steers = tasks.flatMap((task) => listOf(task["steers"]));
  const done = tasks.filter((task) => task["state"] === "done");
  const children = tasks.filter((task) => isText(task["parent_id"]));
  check(
    "at least three goals are delegated",
    children.filter((task) => isText(task["goal"])).length >= 3,
    tasks.length,
  );
  check("every task has an id of its own", distinct, ids);
  check("every task has ended", states.length > 0 && states.every((state) => TERMINAL.has(state)), states);
  check("no task has failed", states.length > 0 && !states.includes("failed"), states);
  check("a task is cancelled", states.includes("cancelled"), states);
  check(
    "a steer is delivered",
    steers.some((steer) => steer["state"] === "delivered"),
    steers,
  );
  const identified = steers.length > 0 && steers.every((steer) => isText(steer["steer_id"]));
  check("every steer has its id", identified, steers);
  const results = done.map((task) => task["result"]);
  check("every task that is done has its result", done.length > 0 && results.every(isText), results);
}
