// What a job finds on its hosts: its files, its cgroup, its way to the other hosts; and what it leaves.

import LabFixture
import Testing

@Suite("On the nodes", .serialized, .lab("nodes"))
struct NodeStories {
  @Test("a job on two hosts reaches the other one with oarsh, inside its cgroup there")
  func twoHosts() async throws {
    let lab = try LabFixture.here
    let id = try await lab.submit(
      "-l", "nodes=2,walltime=0:2:0",
      """
      sort -u $OAR_NODEFILE > hosts.$OAR_JOB_ID
      for host in $(sort -u $OAR_NODEFILE); do
        oarsh $host 'echo $(hostname) $(id -un) $OAR_JOB_ID; cat /proc/self/cgroup; false'
        echo "code $?"
      done
      """)
    let job = try await lab.end(of: id)
    #expect(job.state == "Terminated")
    let hosts = try await lab.read("hosts.\(id)").split(separator: "\n").map(String.init)
    #expect(hosts == job.assignedHosts.sorted())
    #expect(hosts.count == 2)
    let output = try await lab.read("OAR.\(id).stdout")
    for host in hosts { #expect(output.contains("\(host) user1 \(id)\n"), "\(output)") }
    #expect(output.split(separator: "\n").count { $0.hasSuffix("/oar/user1_\(id)") } >= 2)
    #expect(output.split(separator: "\n").count { $0 == "code 1" } == 2)
    let errors = try await lab.read("OAR.\(id).stderr")
    #expect(errors.isEmpty, "\(errors)")
  }

  @Test("oarsh leads to no host that the job does not have, and to no job of somebody else")
  func oarshRefused() async throws {
    let lab = try LabFixture.here
    let id = try await lab.submit(
      "-l", "nodes=1,walltime=0:2:0",
      "for host in node1 node2 node3; do oarsh $host hostname; echo code $?; done")
    let job = try await lab.end(of: id)
    let output = try await lab.read("OAR.\(id).stdout").split(separator: "\n")
    #expect(output.count { $0.hasPrefix("node") } == 1)
    #expect(output.count { $0 == "code 0" } == 1)
    let errors = try await lab.read("OAR.\(id).stderr")
    #expect(errors.contains("is not a host of job \(id)"), "\(errors)")
    let other = try await lab.submit("-l", "nodes=1,walltime=0:2:0", "sleep 60", as: "user2")
    try await lab.await("Running", of: other)
    let host = try #require(try await lab.job(other).assignedHosts.first)
    let refused = try await lab.run("env", "OAR_JOB_ID=\(other)", "oarsh", host, "hostname")
    #expect(refused.exitCode != 0)
    #expect(refused.stderr.contains("user2"), "\(refused)")
    #expect(job.state == "Terminated")
    try await lab.endAllJobs()
  }

  @Test("a job's processes may use the processors of its resources and no others")
  func cpuset() async throws {
    let lab = try LabFixture.here
    for want in 1...2 {
      let id = try await lab.submit(
        "-l", "nodes=1/resource_id=\(want),walltime=0:1:0",
        "grep Cpus_allowed_list /proc/self/status; oarprint cpuset; cat /proc/self/cgroup")
      try await lab.end(of: id)
      let lines = try await lab.read("OAR.\(id).stdout").split(separator: "\n")
      let allowed = try #require(lines.first?.split(separator: "\t").last)
      let given = Set(lines.dropFirst().prefix { !$0.contains(":") }.compactMap { Int($0) })
      #expect(Self.numbers(allowed) == given)
      #expect(lines.contains { $0.hasSuffix("/oar/user1_\(id)") })
    }
  }

  /// The numbers of a list such as `0-2,5`.
  private static func numbers(_ list: Substring) -> Set<Int> {
    Set(
      list.split(separator: ",").flatMap { part -> [Int] in
        let ends = part.split(separator: "-").compactMap { Int($0) }
        return ends.count == 2 ? Array(ends[0]...ends[1]) : ends
      })
  }

  @Test("nothing of a job survives it, not even a daemon that left its session, on no host")
  func nothingSurvives() async throws {
    let lab = try LabFixture.here
    let daemon =
      "setsid setsid bash -c 'trap : TERM HUP; sleep 90125; sleep 90125' >/dev/null 2>&1 &"
    let id = try await lab.submit(
      "-l", "nodes=2,walltime=0:2:0",
      """
      for host in $(sort -u $OAR_NODEFILE); do oarsh $host "\(daemon)"; done
      \(daemon)
      for host in $(sort -u $OAR_NODEFILE); do
        oarsh $host "until pgrep -f 'slee[p] 90125'; do sleep 0.05; done"
      done
      """)
    let job = try await lab.end(of: id)
    #expect(job.state == "Terminated")
    #expect(job.assignedHosts.count == 2)
    for host in job.assignedHosts {
      let left = try await lab.run("pgrep", "-f", "-a", "slee[p] 90125", as: "root", on: host)
      #expect(left.stdout.isEmpty, "\(host): \(left.stdout)")
      let groups = try await lab.run(
        "find", "/sys/fs/cgroup", "-type", "d", "-name", "user1_\(id)", as: "root", on: host)
      #expect(groups.stdout.isEmpty, "\(host): \(groups.stdout)")
    }
  }

  @Test("a job finds OAR's variables and files, and oarprint reads them")
  func environment() async throws {
    let lab = try LabFixture.here
    let id = try await lab.submit(
      "-l", "nodes=1/core=2,walltime=0:3:0", "-n", "named", "--project", "p1",
      """
      echo $OAR_JOB_ID $OAR_JOBID $OAR_ARRAY_ID $OAR_ARRAY_INDEX $OAR_JOB_NAME $OAR_PROJECT_NAME
      echo $OAR_JOB_WALLTIME $OAR_JOB_WALLTIME_SECONDS $OAR_USER $OAR_WORKDIR $USER $HOME $SHELL
      for name in NODEFILE FILE_NODES NODE_FILE RESOURCE_FILE; do
        eval "wc -l < \\$OAR_$name"
      done
      wc -l < $OAR_RESOURCE_PROPERTIES_FILE
      oarprint host
      oarprint core -P host,core -F 'h=% c=%' | wc -l
      """)
    let job = try await lab.end(of: id)
    let lines = try await lab.read("OAR.named.\(id).stdout").split(separator: "\n").map(String.init)
    #expect(
      lines == [
        "\(id) \(id) \(id) 1 named p1",
        "0:3:0 180 user1 /home/user1 user1 /home/user1 /bin/bash",
        "2", "2", "2", "2", "2", job.assignedHosts[0], "2",
      ])
  }

  @Test("a job that can't enter its directory or open its output never runs, and says why")
  func unusableDirectory() async throws {
    let lab = try LabFixture.here
    let refused = try await lab.run("oarsub", "-d", "/root", "touch ran")
    if refused.exitCode == 0 {
      let id = try #require(refused.word.split(separator: "=").last.flatMap { Int($0) })
      let job = try await lab.end(of: id)
      #expect(job.state == "Error")
      #expect(job.has(event: "WORKING_DIRECTORY"))
      #expect(job.message.contains("/root"))
    } else {
      #expect(refused.stderr.contains("/root"))
    }
    let output = try await lab.submit("-O", "/root/out", "touch ran")
    let job = try await lab.end(of: output)
    #expect(job.state == "Error")
    #expect(job.has(event: "OUTPUT_FILES"))
    #expect(job.message.contains("/root/out"))
    #expect(try await lab.run("test", "-e", "ran").exitCode == 1)
    #expect(!(try await lab.run("oarnodes", "-s").stdout.contains("Suspected")))
  }
}
