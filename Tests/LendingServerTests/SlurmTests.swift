// What Slurm prints, as it is read: lists of hosts, jobs, nodes.

import ClusterModel
import Testing
import Wire

@testable import LendingServer

@Suite("What Slurm says")
struct SlurmTests {
  @Test(
    "lists of hosts are written out, widths of numbers kept",
    arguments: [
      ("n1", ["n1"]), ("n[1-3]", ["n1", "n2", "n3"]),
      ("n[1-2,7],login", ["n1", "n2", "n7", "login"]),
      ("n[08-10]", ["n08", "n09", "n10"]),
      ("r[1-2]c[1-2].x", ["r1c1.x", "r1c2.x", "r2c1.x", "r2c2.x"]),
      ("", []), ("a,,b", ["a", "b"]),
    ])
  func lists(list: String, hosts: [String]) throws {
    #expect(try HostList.hosts(list) == hosts)
  }

  @Test(
    "a list that is none is refused with the part that can't be read",
    arguments: ["n[1-", "n1]", "n[3-1]", "n[x]", "n[1-2-3]", "n[[1]]", "n[0-999999999]"])
  func brokenLists(list: String) {
    #expect(throws: HostListError.self) { try HostList.hosts(list) }
  }

  @Test("jobs hold their hosts from their allocation to the end of their clean-up")
  func jobs() {
    let (picture, problems) = SlurmReading.picture(
      jobs: """
        7|CONFIGURING|n[1-2]|1000|(null)
        8|RUNNING|n2|900|
        9|COMPLETING|n3|800|
        10|SUSPENDED|n4|800|
        11|PENDING||N/A|
        12|PENDING||1060|n[1,5]
        13|PENDING||1030|n5
        """, hosts: "", now: 1000)
    #expect(problems.isEmpty)
    #expect(picture.jobs == ["7": ["n1", "n2"], "8": ["n2"], "9": ["n3"], "10": ["n4"]])
    #expect(picture.starts == ["n1": 60, "n5": 30])
  }

  @Test(
    "nodes that take jobs may be lent; those that don't answer, or are an administrator's, may not")
  func nodes() {
    let (picture, _) = SlurmReading.picture(
      jobs: "",
      hosts: """
        n1|idle|none
        n1|idle|none
        n2|mixed|none
        n3|allocated|none
        n4|idle*|none
        n5|drained|a | bad disk
        n6|down*|Not responding
        n7|completing|none
        n8|draining|bebida: its agent can't be reached
        """, now: 0)
    #expect(
      picture.hosts == [
        "n1": true, "n2": true, "n3": true, "n4": false, "n5": false, "n6": false, "n7": true,
        "n8": false,
      ])
    #expect(picture.excluded == ["n8"])
  }

  @Test("what of Slurm's settings lets a job begin beside pods is found")
  func check() throws {
    let side = SlurmSide(Configuration(), loop: EventLoop(), say: { _ in })
    func verdicts(_ text: String) -> [String] {
      side.findings(in: SlurmReading.settings(text)).map { "\($0.verdict.rawValue) \($0.text)" }
    }
    #expect(
      verdicts(
        """
        Configuration data as of 2026-11-22T05:00:00
        EpilogSlurmctld         = /bin/true
        PrologEpilogTimeout     = 60
        PrologSlurmctld         = /bin/true
        PrologFlags             = Alloc,DeferBatch,Contain
        """) == [
          "good PrologSlurmctld is /bin/true", "good EpilogSlurmctld is /bin/true",
          "good PrologEpilogTimeout gives hooks 60 s",
        ])
    let wrong = verdicts(
      """
      PrologEpilogTimeout     = 65534
      PrologSlurmctld         = /nowhere
      EpilogSlurmctld         = (null)
      PrologFlags             = Alloc
      """)
    #expect(wrong.map { $0.split(separator: " ")[0] } == ["bad", "bad", "bad", "doubtful"])
    #expect(wrong[0].contains("/nowhere, which can't be run") && wrong[2].contains("DeferBatch"))
    #expect(verdicts("PrologEpilogTimeout = 30").last?.contains("set it to 55 at least") == true)
  }

  @Test("a line that can't be read is told, and harms no other")
  func nonsense() {
    let (picture, problems) = SlurmReading.picture(
      jobs: "nonsense\n7|RUNNING|n[1|0|\n8|RUNNING|n1|0|", hosts: "what\nn1|idle|none", now: 0)
    #expect(picture.jobs == ["8": ["n1"]] && picture.hosts == ["n1": true])
    #expect(problems.count == 3)
  }
}
