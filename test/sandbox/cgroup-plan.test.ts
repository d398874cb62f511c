import { describe, expect, it } from "vitest";
import {
  chooseGroups,
  groupLines,
  groupPrefix,
  joiningArgv,
  ownerByName,
  ownerOf,
  ownGroups,
} from "../../src/sandbox/cgroup-plan.ts";

const V1 = [
  "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755",
  "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct",
  "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory",
  "39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids",
  "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw",
].join("\n");
const V1_OWN = "4:memory:/api/81\n8:pids:/\n1:cpu,cpuacct:/\n9:name=systemd:/\n0::/\n";
const V2 = "29 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate";
const unified = {
  controllers: "cpuset cpu io memory pids\n",
  handedOn: "cpu memory pids\n",
  processes: "1\n77\n",
  pid: 77,
};

describe("ownGroups", () => {
  it("finds each group of version 1 below its mount", () => {
    expect(ownGroups(V1, V1_OWN)).toEqual({
      pids: "/sys/fs/cgroup/pids",
      memory: "/sys/fs/cgroup/memory/api/81",
      cpu: "/sys/fs/cgroup/cpu,cpuacct",
      unified: "/sys/fs/cgroup/unified",
    });
  });

  it("finds the one group of version 2", () => {
    expect(ownGroups(V2, "0::/user.slice/a.scope\n")).toEqual({
      unified: "/sys/fs/cgroup/user.slice/a.scope",
    });
  });

  it("finds that one again from the leaf that the server moved into", () => {
    const found = { unified: "/sys/fs/cgroup/user.slice/a.scope" };
    expect(ownGroups(V2, "0::/user.slice/a.scope/troupe-server\n")).toEqual(found);
    expect(ownGroups(V2, "0::/troupe-server\n")).toEqual({ unified: "/sys/fs/cgroup" });
  });

  it("reckons a mount of a part from that part, and finds nothing beside it", () => {
    const part = V2.replace(" / /sys", " /docker/ab /sys");
    expect(ownGroups(part, "0::/docker/ab\n")).toEqual({ unified: "/sys/fs/cgroup" });
    expect(ownGroups(part, "0::/docker/ab/c\n")).toEqual({ unified: "/sys/fs/cgroup/c" });
    expect(ownGroups(part, "0::/docker/abc\n")).toEqual({});
  });

  it("makes nothing of texts that say nothing", () => {
    expect(ownGroups("", "")).toEqual({});
    expect(ownGroups("x y\n- -\n", "nonsense\n1:\n")).toEqual({});
  });
});

describe("chooseGroups", () => {
  it("takes version 1 where it bounds processes and memory", () => {
    expect(chooseGroups({ pids: "/p", memory: "/m", cpu: "/c", unified: "/u" }, unified)).toEqual({
      plan: {
        version: 1,
        moveInto: null,
        places: [
          { folder: "/p", bounds: ["pids"] },
          { folder: "/m", bounds: ["memory"] },
          { folder: "/c", bounds: ["cpu"] },
        ],
      },
    });
    expect(chooseGroups({ pids: "/p", memory: "/p" }, null)).toMatchObject({
      plan: { places: [{ folder: "/p", bounds: ["pids", "memory"] }] },
    });
  });

  it("takes a group of version 2 that hands its bounds on", () => {
    expect(chooseGroups({ unified: "/u" }, unified)).toEqual({
      plan: { version: 2, moveInto: null, places: [{ folder: "/u", bounds: ["pids", "memory", "cpu"] }] },
    });
  });

  it("moves the server alone out of the way, and no other program", () => {
    const alone = { ...unified, handedOn: "", processes: "77\n" };
    expect(chooseGroups({ unified: "/u" }, alone)).toMatchObject({
      plan: { moveInto: "/u/troupe-server" },
    });
    expect(chooseGroups({ unified: "/u" }, { ...unified, handedOn: "" })).toEqual({
      reason: expect.stringMatching(/other programs share.*Delegate=yes/) as string,
    });
  });

  it.each([
    ["nothing is mounted", {}, null],
    ["only processes can be bounded", { pids: "/p", unified: "/u" }, { ...unified, controllers: "pids\n" }],
    ["only memory can be bounded", { memory: "/m" }, null],
    ["version 2 bounds nothing here", { unified: "/u" }, { ...unified, controllers: "hugetlb\n" }],
  ])("says why there are none where %s", (_, own, facts) => {
    expect(chooseGroups(own, facts)).toEqual({ reason: expect.stringMatching(/\.$/) as string });
  });
});

it("groupLines bounds memory before memory with swap, which the kernel wants in that order", () => {
  const caps = { maxProcesses: 32, maxMemoryBytes: 1024, maxCpus: 1.5 };
  const files = (version: 1 | 2) =>
    groupLines(version, ["pids", "memory", "cpu"], caps).map(({ file, text }) => `${file} ${text}`);
  expect(files(1)).toEqual([
    "pids.max 32",
    "memory.limit_in_bytes 1024",
    "memory.memsw.limit_in_bytes 1024",
    "memory.swappiness 0",
    "cpu.shares 256",
    "cpu.cfs_period_us 20000",
    "cpu.cfs_quota_us 30000",
  ]);
  expect(files(2)).toEqual([
    "pids.max 32",
    "memory.max 1024",
    "memory.swap.max 0",
    "cpu.weight 25",
    "cpu.max 30000 20000",
  ]);
});

it("a group is known by its name for that of one process of one machine's life", () => {
  const stat = `77 (a ) b) S ${Array.from({ length: 18 }, (_, at) => at).join(" ")} 5823951 0`;
  const owner = ownerOf(stat, "pid:[4026531836]");
  expect(owner).toEqual({ namespace: "4026531836", pid: 77, began: "5823951" });
  expect(owner && ownerByName(`${groupPrefix(owner)}aB3x9Z`)).toEqual(owner);
  expect(["troupe-server", "user.slice", "troupe-1-2-x"].map(ownerByName)).toEqual([null, null, null]);
  expect(ownerOf("", "pid:[1]")).toBeNull();
});

it("joiningArgv names the groups before the program, which no word of it can be one of", () => {
  const argv = joiningArgv(["/g1", "/g2"], ["true", "/g3"]);
  expect(argv.slice(3)).toEqual(["troupe", "2", "/g1", "/g2", "true", "/g3"]);
});
