// Batch jobs: from oarsub to their output, exit code and end.

import LabFixture
import Testing

@Suite("Batch jobs", .serialized, .lab("batch"))
struct BatchStories {
  @Test("a script's #OAR lines say what it needs, its name and where its output goes")
  func directives() async throws {
    let lab = try LabFixture.here
    try await lab.write(
      """
      #!/bin/bash
      #OAR -l nodes=2/core=2,walltime=0:2:0
      #OAR -n counted
      #OAR -O out.%jobname%.%jobid%
      #OAR --project census
      #OAR -t idempotent
      #OAR -t besteffort
      echo "$OAR_JOB_NAME $OAR_PROJECT_NAME $OAR_JOB_WALLTIME $(wc -l < $OAR_NODEFILE) $1"
      """, to: "count.sh")
    try await lab.shell("chmod +x count.sh")
    let id = try await lab.submit("-S", "./count.sh with-argument")
    let job = try await lab.end(of: id)
    #expect(job.state == "Terminated")
    #expect(job.queue == "besteffort")
    #expect(job.assignedHosts.count == 2)
    #expect(
      try await lab.read("out.counted.\(id)") == "counted census 0:2:0 4 with-argument\n")
  }

  @Test("a job that fails keeps its exit code in OAR's notation")
  func failing() async throws {
    let lab = try LabFixture.here
    let id = try await lab.submit("echo before; exit 3")
    let job = try await lab.end(of: id)
    #expect(job.state == "Terminated")
    #expect(job.exitCode == 3)
    let full = try await lab.run("oarstat", "-f", "-j", String(id)).stdout
    #expect(full.contains("    exit_code = 768 (3,0,0)\n"))
    #expect(try await lab.read("OAR.\(id).stdout") == "before\n")
  }

  @Test("a job killed by a signal of its own shows the signal in its exit code")
  func killedByItself() async throws {
    let lab = try LabFixture.here
    let id = try await lab.submit("kill -KILL $$")
    let job = try await lab.end(of: id)
    #expect(job.waitStatus == 9)
    let full = try await lab.run("oarstat", "-f", "-j", String(id)).stdout
    #expect(full.contains("    exit_code = 9 (0,9,0)\n"))
  }

  @Test("an array runs once for each line of its parameter file")
  func arrayWithParameters() async throws {
    let lab = try LabFixture.here
    try await lab.write("# a comment\none 1\n\ntwo '2 and a half'\nthree 3\n", to: "parameters")
    try await lab.write(
      "#!/bin/bash\necho \"$OAR_ARRAY_INDEX:$1:$2\" > array.$OAR_ARRAY_INDEX\n", to: "each.sh")
    try await lab.shell("chmod +x each.sh")
    let ids = try await lab.submitAll(["--array-param-file", "parameters", "./each.sh"])
    #expect(ids.count == 3)
    for id in ids { #expect(try await lab.end(of: id).state == "Terminated") }
    #expect(
      try await lab.shell("cat array.1 array.2 array.3")
        == "1:one:1\n2:two:2 and a half\n3:three:3\n")
    let jobs = try await lab.jobs("--array", String(ids[0]))
    #expect(jobs.map(\.id) == ids)
    #expect(jobs.allSatisfy { $0.arrayID == ids[0] })
  }

  @Test("jobs of a dependency chain run one after the other, in its order")
  func chain() async throws {
    let lab = try LabFixture.here
    let first = try await lab.submit("sleep 0.3; echo first >> chain")
    let second = try await lab.submit(
      "-a", String(first), "sleep 0.3; echo second >> chain; exit 1")
    let third = try await lab.submit(
      "-a", String(second), "-a", String(first), "echo third >> chain")
    #expect(try await lab.job(third).state == "Waiting")
    try await lab.end(of: third)
    #expect(try await lab.read("chain") == "first\nsecond\nthird\n")
    #expect(try await lab.job(second).exitCode == 1)
  }

  @Test("a job that reaches its walltime is ended, and everybody is told")
  func walltime() async throws {
    let lab = try LabFixture.here
    let id = try await lab.submit(
      "-l", "resource_id=1,walltime=0:0:2", "trap 'echo asked >&2' TERM; while :; do sleep 1; done")
    let job = try await lab.end(of: id)
    #expect(job.state == "Error")
    #expect(job.has(event: "WALLTIME"))
    let length = (job.stopTime ?? 0) - (job.startTime ?? 0)
    #expect((2...30).contains(length), "it ran \(length) s")
    let errors = try await lab.read("OAR.\(id).stderr")
    #expect(errors.contains("## OAR [") && errors.contains("Job \(id) KILLED ##"), "\(errors)")
  }

  @Test("oarsub --wait ends with the exit code of its job")
  func wait() async throws {
    let lab = try LabFixture.here
    #expect(try await lab.run("oarsub", "--wait", "exit 0").exitCode == 0)
    #expect(try await lab.run("oarsub", "--wait", "exit 7").exitCode == 7)
    #expect(try await lab.run("oarsub", "--wait", "kill -TERM $$").exitCode == 143)
    let array = try await lab.run(
      "oarsub", "--wait", "--array", "3", "exit $((OAR_ARRAY_INDEX - 1))")
    #expect(array.exitCode == 1)
    #expect(array.stderr.contains("3 jobs have ended, 2 of them failed."))
  }

  @Test("the output goes where -O and -E say, from the directory of -d")
  func outputs() async throws {
    let lab = try LabFixture.here
    try await lab.shell("mkdir -p work/deep")
    let id = try await lab.submit(
      "-d", "/home/user1/work", "-n", "named", "-O", "deep/%jobname%.out", "-E", "err.%jobid%",
      "pwd; echo wrong >&2")
    try await lab.end(of: id)
    #expect(try await lab.read("work/deep/named.out") == "/home/user1/work\n")
    #expect(try await lab.read("work/err.\(id)") == "wrong\n")
  }

  @Test("oarsub --wait outlasts the server, and learns of the jobs that ended meanwhile")
  func waitOutlastsServer() async throws {
    let lab = try LabFixture.here
    async let waiting = lab.run(
      "oarsub", "--wait", "--array", "2",
      "until [ -e go.$OAR_ARRAY_INDEX ]; do sleep 0.05; done; touch went.$OAR_ARRAY_INDEX; exit 4")
    try await lab.shell("touch go.1")
    try await lab.eventually("[ -e went.1 ]")
    try await lab.whileServerStands {
      try await lab.shell("touch go.2")
      try await lab.eventually("[ -e went.2 ]")
      try await lab.shell("pkill -KILL -x liburnad", as: "root", on: "server")
    }
    let result = try await waiting
    #expect(result.exitCode == 4)
    #expect(result.stderr.contains("2 jobs have ended, 2 of them failed."))
  }
}
