// What admins do: resources, properties, queues; and that nobody else does it.

import LabFixture
import Testing

@Suite("Administering", .serialized, .lab("admin", nodes: 2))
struct AdminStories {
  @Test("a host that becomes Absent loses its jobs; Alive again, it runs others")
  func absent() async throws {
    let lab = try LabFixture.here
    let doomed = try await lab.submit(
      "-p", "host = 'node1'", "-l", "nodes=1,walltime=0:10:0", "sleep 600")
    let spared = try await lab.submit(
      "-p", "host = 'node2'", "-l", "nodes=1,walltime=0:10:0", "sleep 600")
    try await lab.await("Running", of: doomed)
    let set = try await lab.run(
      "oarnodesetting", "-s", "Absent", "-h", "node1", as: "root", on: "server")
    #expect(set.exitCode == 0)
    #expect(set.stdout.contains("node1 --> Absent\nCheck jobs to delete on node node1:\n"))
    #expect(try await lab.end(of: doomed).state == "Error")
    #expect(try await lab.job(spared).state == "Running")
    #expect(try await lab.run("oarnodes", "-s").stdout.contains("    1 : Absent"))
    let waiting = try await lab.submit("-p", "host = 'node1'", "-l", "nodes=1", "hostname")
    let other = try await lab.submit("-p", "host = 'node2'", "--hold", "true")
    #expect(try await lab.job(waiting).state == "Waiting")
    let why = try await lab.run("oarstat", "--why", String(waiting)).stdout
    #expect(why.contains("Job \(waiting) is Waiting"))
    try await lab.run("oarnodesetting", "-s", "Alive", "-h", "node1", as: "root", on: "server")
    #expect(try await lab.end(of: waiting).state == "Terminated")
    #expect(try await lab.read("OAR.\(waiting).stdout") == "node1\n")
    #expect(try await lab.job(other).state == "Hold")
    try await lab.endAllJobs()
  }

  @Test("a drained host finishes its jobs and gets no new ones")
  func drain() async throws {
    let lab = try LabFixture.here
    let running = try await lab.submit(
      "-p", "host = 'node1'", "-l", "resource_id=1", "until [ -e drained ]; do sleep 0.05; done")
    try await lab.await("Running", of: running)
    try await lab.run("oarnodesetting", "-d", "on", "-h", "node1", as: "root", on: "server")
    let elsewhere = try await lab.submit("-l", "nodes=1,walltime=0:1:0", "hostname")
    try await lab.end(of: elsewhere)
    #expect(try await lab.read("OAR.\(elsewhere).stdout") == "node2\n")
    try await lab.shell("touch drained")
    #expect(try await lab.end(of: running).state == "Terminated")
    try await lab.run("oarnodesetting", "-d", "off", "-h", "node1", as: "root", on: "server")
    let again = try await lab.submit("-p", "host = 'node1'", "-l", "nodes=1", "hostname")
    #expect(try await lab.end(of: again).state == "Terminated")
  }

  @Test("a property is added, set, asked for by jobs, and deleted")
  func properties() async throws {
    let lab = try LabFixture.here
    let root = { (words: [String]) in try await lab.run(words, as: "root", on: "server") }
    #expect(try await root(["oarproperty", "-a", "gpu", "-c"]).stdout == "Added property: gpu\n")
    let set = try await root(["oarnodesetting", "-h", "node2", "-p", "gpu=big"])
    #expect(set.stdout == "Set property gpu to 'big'... 4 resource(s) updated.\n")
    #expect(try await lab.run("oarproperty", "-l").lines.contains("gpu"))
    #expect(try await lab.run("oarnodes", "-r", "5").stdout.contains("gpu=big"))
    let id = try await lab.submit("-p", "gpu = 'big'", "-l", "nodes=1", "hostname; oarprint gpu")
    try await lab.end(of: id)
    #expect(try await lab.read("OAR.\(id).stdout") == "node2\nbig\n")
    let bad = try await root(["oarnodesetting", "-h", "node2", "-p", "core=abc"])
    #expect(bad.exitCode == 9)
    #expect(bad.stderr.contains("abc"))
    #expect(try await root(["oarproperty", "-d", "gpu"]).exitCode == 0)
    #expect(try await lab.run("oarsub", "-p", "gpu = 'big'", "true").exitCode != 0)
  }

  @Test("queues are added, changed, disabled, enabled and removed")
  func queues() async throws {
    let lab = try LabFixture.here
    let root = { (words: [String]) in try await lab.run(words, as: "root", on: "server") }
    #expect(try await root(["oarqueue", "--add", "night,7,kamelot"]).exitCode == 0)
    let shown = "night\n\tpriority = 7\n\tpolicy = kamelot\n\tstate = Active\n"
    #expect(try await lab.run("oarqueue").stdout.contains(shown))
    #expect(try await root(["oarqueue", "--change", "night,3,kamelot"]).exitCode == 0)
    #expect(try await root(["oarqueue", "-d", "night"]).exitCode == 0)
    let id = try await lab.submit("-q", "night", "-l", "resource_id=1", "true")
    let other = try await lab.submit("-l", "resource_id=1", "true")
    try await lab.end(of: other)
    #expect(try await lab.job(id).state == "Waiting")
    #expect(try await root(["oarqueue", "-e", "night"]).exitCode == 0)
    #expect(try await lab.end(of: id).state == "Terminated")
    #expect(try await root(["oarqueue", "--remove", "night"]).exitCode == 0)
    #expect(try await lab.run("oarsub", "-q", "night", "true").exitCode == 248)
  }

  @Test("the server's user and root are administrators, others are not, wherever they ask from")
  func onlyAdministrators() async throws {
    let lab = try LabFixture.here
    let before = try await state(of: lab)
    let refused: [([String], Int32)] = [
      (["oarnodesetting", "-s", "Absent", "-h", "node1"], 1),
      (["oarnodesetting", "-a", "-h", "node9"], 1),
      (["oarnodesetting", "-r", "1", "-p", "core=77"], 1),
      (["oarproperty", "-a", "mine"], 255), (["oarproperty", "-d", "core"], 255),
      (["oarqueue", "-d", "default"], 8), (["oarqueue", "--remove", "default"], 8),
    ]
    for host in ["frontend", "server", "node1"] {
      for (words, code) in refused {
        let result = try await lab.run(words, as: "user1", on: host)
        #expect(result.exitCode == code, "\(words) on \(host): \(result)")
        #expect(result.stderr.contains("only root and oar may"), "\(words): \(result)")
        #expect(result.stderr.contains("you are user1"), "\(words): \(result)")
      }
    }
    #expect(try await state(of: lab) == before)
    for (user, host) in [("root", "server"), ("oar", "server"), ("root", "frontend")] {
      let allowed = try await lab.run("oarqueue", "-e", "default", as: user, on: host)
      #expect(allowed.exitCode == 0, "\(user) on \(host): \(allowed)")
    }
  }

  private func state(of lab: LabFixture) async throws -> String {
    try await lab.shell("oarnodes; oarqueue; oarproperty -l")
  }

  @Test("who submits is known from the socket on the server and from MUNGE elsewhere")
  func identities() async throws {
    let lab = try LabFixture.here
    for (user, host) in [
      ("user1", "server"), ("user2", "server"), ("user1", "frontend"), ("user2", "frontend"),
      ("user1", "node1"), ("user2", "node2"),
    ] {
      let forged = ["env", "USER=root", "LOGNAME=user9", "OAR_USER=root", "SUDO_USER=root"]
      let result = try await lab.run(
        forged + ["oarsub", "-d", "/tmp", "id -un > who"], as: user, on: host)
      let id = try #require(
        result.lines.compactMap { $0.hasPrefix("OAR_JOB_ID=") ? Int($0.dropFirst(11)) : nil }.first,
        "\(user) on \(host): \(result)")
      let job = try await lab.end(of: id)
      #expect(job.user == user)
      let node = try #require(job.assignedHosts.first)
      #expect(try await lab.read("/tmp/who", on: node) == user + "\n")
      try await lab.run("rm", "/tmp/who", as: "root", on: node)
    }
    for host in ["server", "frontend"] {
      for user in ["root", "oar"] {
        let result = try await lab.run("oarsub", "-d", "/tmp", "true", as: user, on: host)
        #expect(result.exitCode == 254)
        #expect(
          result.stderr.contains(
            "[ADMISSION RULE] root and oar users are not allowed to submit jobs."))
      }
    }
  }

  @Test("without MUNGE nobody is believed")
  func noMunge() async throws {
    let lab = try LabFixture.here
    let socket = "/run/munge/munge.socket.2"
    try await lab.shell("mv \(socket) \(socket).away", as: "root", on: "frontend")
    let result = try await lab.run("oarsub", "true")
    try await lab.shell("mv \(socket).away \(socket)", as: "root", on: "frontend")
    #expect(result.exitCode != 0)
    #expect(result.stderr.lowercased().contains("munge"), "\(result)")
    #expect(try await lab.run("oarsub", "true").exitCode == 0)
  }
}
