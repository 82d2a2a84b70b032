// What oarstat and oarnodes show, in the words of OAR 2.5, of one situation: a job that runs, an array of
// somebody else that waits, a held job.

import FoundationEssentials
import LabFixture
import Testing

@Suite("Showing jobs and nodes", .serialized, .lab("show", nodes: 2))
struct ShowStories {
  /// The situation that every story finds.
  private struct Scene {
    var lab: LabFixture
    var running: Int
    var array: [Int]
    var held: Int
  }

  private func scene() async throws -> Scene {
    let lab = try LabFixture.here
    if let found = try await lab.jobs("--sql", "job_name = 'jobA'").first {
      let array = try await lab.jobs("--sql", "project = 'bproj'").map(\.id)
      let held = try await lab.jobs("--sql", "state = 'Hold'").map(\.id)
      return Scene(lab: lab, running: found.id, array: array, held: try #require(held.first))
    }
    let running = try await lab.submit("-l", "nodes=1,walltime=0:20:0", "-n", "jobA", "sleep 900")
    try await lab.await("Running", of: running)
    let array = try await lab.submitAll(
      ["--array", "2", "--project", "bproj", "-l", "nodes=2,walltime=0:10:0", "sleep 100"],
      as: "user2")
    let held = try await lab.submit("--hold", "-l", "core=1", "sleep 1")
    return Scene(lab: lab, running: running, array: array, held: held)
  }

  /// Durations change from call to call.
  private func timeless(_ text: String) -> String {
    text.replacing(
      #/ +\d+:\d\d:\d\d /#, with: { String(repeating: "#", count: $0.output.count - 1) + " " })
  }

  @Test("oarstat shows a table of all jobs, of a user's, of an array")
  func tables() async throws {
    let scene = try await scene()
    let head = """
      Job id    S User     Duration   System message
      --------- - -------- ---------- ------------------------------------------------

      """
    let id = { (number: Int) in "\(number)".padding(to: 9) }
    let own = "\(id(scene.running)) R user1############## R=4,W=0:20:0,J=B,N=jobA\n"
    let others = scene.array.map { "\(id($0)) W user2############## R=8,W=0:10:0,J=B,P=bproj\n" }
      .joined()
    let held = "\(id(scene.held)) H user1############## R=1,W=2:0:0,J=B\n"
    let all = try await scene.lab.run("oarstat").stdout
    #expect(timeless(all) == head + own + others + held)
    let mine = try await scene.lab.run("oarstat", "-u").stdout
    #expect(timeless(mine) == head + own + held)
    let theirs = try await scene.lab.run("oarstat", "-u", "user2").stdout
    #expect(timeless(theirs) == head + others)
    let chosen = try await scene.lab.run("oarstat", "--sql", "project = 'bproj'").stdout
    #expect(chosen.contains(" user2 ") && !chosen.contains(" user1 "))
    let array = try await scene.lab.run("oarstat", "--array", String(scene.array[0])).stdout
    #expect(array.hasPrefix("Job id    A. id     index S User     Duration   System message\n"))
    #expect(array.contains("\(id(scene.array[1])) \(id(scene.array[0])) 2     W user2"))
    let nobody = try await scene.lab.run("oarstat", "-u", "nobody")
    #expect(nobody.stdout.isEmpty && nobody.exitCode == 0)
  }

  @Test("oarstat -s tells a job's state in a word")
  func states() async throws {
    let scene = try await scene()
    let state = try await scene.lab.run("oarstat", "-s", "-j", String(scene.running))
    #expect(state.stdout == "\(scene.running): Running\n")
    let two = try await scene.lab.run(
      "oarstat", "-s", "-j", String(scene.held), "-j", String(scene.running))
    #expect(two.stdout.contains("\(scene.held): Hold\n"))
    #expect(two.stdout.contains("\(scene.running): Running\n"))
    let without = try await scene.lab.run("oarstat", "-s")
    #expect(without.exitCode == 1)
    #expect(without.stderr.contains("--state can only be used with an id"))
  }

  @Test("oarstat -f shows everything of a job")
  func full() async throws {
    let scene = try await scene()
    let text = try await scene.lab.run("oarstat", "-f", "-j", String(scene.running)).stdout
    let host = try #require(try await scene.lab.job(scene.running).assignedHosts.first)
    for line in [
      "Job_Id: \(scene.running)", "    job_array_id = \(scene.running)", "    name = jobA",
      "    owner = user1", "    state = Running", "    queue = default", "    command = sleep 900",
      "    assigned_hostnames = \(host)", "    walltime = 0:20:0", "    project = default",
      "    initial_request = oarsub -l nodes=1,walltime=0:20:0 -n jobA sleep 900",
      "    stdout_file = OAR.jobA.\(scene.running).stdout",
      "    wanted_resources = -l \"{type = 'default'}/network_address=1,walltime=0:20:0\" ",
    ] {
      #expect(text.contains(line + "\n"), "\(line) is not in\n\(text)")
    }
  }

  @Test("data formats hold the same job: -J, -Y, -X, -D and --json")
  func formats() async throws {
    let scene = try await scene()
    let id = String(scene.running)
    let json = try await scene.lab.run("oarstat", "-J", "-f", "-j", id).stdout
    let object = try JSONDecoder().decode([String: OARJob].self, from: Data(json.utf8))
    #expect(object[id]?.owner == "user1")
    #expect(object[id]?.state == "Running")
    #expect(try await scene.lab.run("oarstat", "-Y", "-j", id).stdout.contains("owner: user1\n"))
    #expect(
      try await scene.lab.run("oarstat", "-D", "-j", id).stdout.contains("'owner' => 'user1'"))
    #expect(try await scene.lab.run("oarstat", "-X", "-j", id).stdout.contains("user1"))
    #expect(try await scene.lab.job(scene.running).user == "user1")
    let states = try await scene.lab.run("oarstat", "-J", "-s", "-j", id).stdout
    #expect(
      try JSONDecoder().decode([String: String].self, from: Data(states.utf8)) == [id: "Running"])
  }

  private struct OARJob: Decodable {
    var owner: String
    var state: String
  }

  @Test("oarnodes shows resources, their states and the jobs on them")
  func nodes() async throws {
    let scene = try await scene()
    let host = try #require(try await scene.lab.job(scene.running).assignedHosts.first)
    #expect(try await scene.lab.run("oarnodes", "-l").stdout == "node1\nnode2\n")
    let states = try await scene.lab.run("oarnodes", "-s").stdout
    #expect(
      states == """
        node1
            1 : Alive
            2 : Alive
            3 : Alive
            4 : Alive
        node2
            5 : Alive
            6 : Alive
            7 : Alive
            8 : Alive

        """)
    let one = try await scene.lab.run("oarnodes", host).stdout
    #expect(one.components(separatedBy: "network_address : \(host)\n") == 4)
    #expect(one.components(separatedBy: "jobs: \(scene.running)\n") == 4)
    let chosen = try await scene.lab.run("oarnodes", "--sql", "core = 5").stdout
    #expect(chosen.hasPrefix("network_address : node2\nresource_id : 6\nstate : Alive\n"))
    let single = try await scene.lab.run("oarnodes", "-r", "3").stdout
    #expect(single.contains("resource_id : 3\n"))
    let json = try await scene.lab.run("oarnodes", "-s", "-J").stdout
    let object = try JSONDecoder().decode([String: [String: String]].self, from: Data(json.utf8))
    #expect(object["node2"] == ["5": "Alive", "6": "Alive", "7": "Alive", "8": "Alive"])
  }

  @Test("oarstat -p and oarprint tell the properties of a job's resources")
  func properties() async throws {
    let scene = try await scene()
    let text = try await scene.lab.run("oarstat", "-p", "-j", String(scene.running)).stdout
    #expect(text.split(separator: "\n").count == 4)
    #expect(text.contains("network_address = 'node"))
    let printed = try await scene.lab.run(
      "bash", "-c", "oarstat -p -j \(scene.running) | oarprint core -P host,core -f -")
    #expect(printed.exitCode == 0)
    #expect(printed.lines.count == 4)
  }

  @Test("oarstat --follow tells each change of a job until its end")
  func follow() async throws {
    let lab = try LabFixture.here
    let id = try await lab.submit("--hold", "-l", "resource_id=1,walltime=0:1:0", "exit 2")
    async let following = lab.run("oarstat", "--follow=\(id)")
    try await lab.run("oarresume", String(id))
    let lines = try await following.lines
    let last = try #require(lines.last)
    #expect(last.contains("Terminated") && last.contains("exit code 2"), "\(lines)")
  }
}

extension String {
  fileprivate func padding(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }

  /// How often a text occurs.
  fileprivate func components(separatedBy text: String) -> Int { ranges(of: text).count }
}
