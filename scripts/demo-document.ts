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
/** With a server of its own each call also waits for the disk. */
const LONGEST_BLOCKED_ON_DISK_MS = 1_000;
const SHA256 = /^[0-9a-f]{64}$/;
/** Fewer would mean that a fact about the kill was not looked into. */
const LEAST_FACTS = 11;

const TERMINAL = new Set<unknown>(["done", "cancelled", "failed"]);

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The first check says so; the others fail on the empty document.
    return undefined;
  }
}

export interface CheckDemoOptions {
  /** Whether a server was to be killed. */
  readonly crash?: boolean;
}

/** Contract: never throws; `text` is the whole of what the demo wrote on stdout. */
export function checkDemo(text: string, { crash = false }: CheckDemoOptions = {}): readonly DemoCheck[] {
  const document = parse(text);
  const demo = fieldsOf(document);
  const checks: DemoCheck[] = [];
  const check = (name: string, passed: boolean, got: unknown = ""): number =>
    checks.push({ name, passed, got: typeof got === "string" ? got : (JSON.stringify(got) ?? "nothing") });
  check("stdout holds one JSON object and nothing else", isFields(document), text.slice(0, 200));
  const { backend } = demo;
  check("the backend is named", backend === "simulated" || backend === "ollama", backend);
  const longest = crash ? LONGEST_BLOCKED_ON_DISK_MS : LONGEST_BLOCKED_MS;
  checkConversation(fieldsOf(demo["conversation"]), longest, check);
  checkTasks(listOf(demo["tasks"]), check);
  if (crash) checkCrash(fieldsOf(demo["crash"]), check);
  return checks;
}

type Check = (name: string, passed: boolean, got?: unknown) => void;

function checkConversation(conversation: Fields, longestMs: number, check: Check): void {
  const {
    longest_blocked_ms: blocked,
    longest_wait_ms: wait,
    answered_while_running: answered,
  } = conversation;
  check("the longest block is a figure in milliseconds", isMs(blocked), blocked);
  const free = isMs(blocked) && Number(blocked) <= longestMs;
  check(`no delegation call holds the conversation over ${longestMs} ms`, free, blocked);
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

function checkCrash(crash: Fields, check: Check): void {
  const { tasks_before: before, tasks_after: after } = crash;
  const kill = fieldsOf(crash["kill"]);
  const { pid, next_pid: nextPid, first_token_ms: firstToken } = kill;
  const facts = listOf(crash["facts"]);
  const results = listOf(crash["results"]);
  const isPid = (value: unknown): boolean => Number.isInteger(value) && Number(value) > 0;
  check("a server is killed, and another one serves", isPid(pid) && isPid(nextPid) && pid !== nextPid, kill);
  check("the time to the first token after the kill is a figure", isMs(firstToken), firstToken);
  check("every task is there after the kill", Number(before) > 0 && before === after, [before, after]);
  const same = results.every((result) => {
    const hash = result["before"];
    return isText(hash) && SHA256.test(hash) && result["after"] === hash;
  });
  check("every result is the same after the kill", results.length > 0 && same, results);
  const broken = facts.filter((fact) => fact["held"] !== true);
  check("every fact about the kill holds", facts.length >= LEAST_FACTS && broken.length === 0, broken);
}
