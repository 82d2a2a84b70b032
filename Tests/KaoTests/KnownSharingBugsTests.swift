// What OAR 3's planner gets wrong about time-sharing, placeholders and reservations, one test each.

import ClusterModel
import Kamelot
import Kao
import Testing

private let twoHosts = testPlatform(hosts: 2, coresPerHost: 2)

struct KnownSharingBugsTests {
  @Test("jobs that share by user or by name do so, and others wait")
  func sharingByUserAndName() {
    let cases: [(String, String, String, Instant)] = [
      ("*,*", "bob", "other", 1000), ("user,*", "alice", "other", 1000),
      ("user,*", "bob", "n", 1120), ("*,name", "bob", "n", 1000),
      ("*,name", "alice", "other", 1120), ("user,name", "alice", "n", 1000),
      ("user,name", "alice", "other", 1120), ("user,name", "bob", "n", 1120),
    ]
    for (kind, user, name, start) in cases {
      let jobs = [
        sharing(1, ("/host=2", 120), "timesharing=\(kind)"),
        sharing(2, ("/host=2", 120), "timesharing=\(kind)", user: user, name: name),
      ]
      for (planner, plan) in plans(
        of: snapshot(twoHosts, waiting: jobs), needing: [.timesharing])
      {
        #expect(plan.start(of: 2) == start, "\(kind) with \(user), \(name): \(planner)")
      }
    }
  }

  @Test("jobs that share in different ways do not share with each other")
  func kindsOfSharing() {
    let jobs = [
      sharing(1, ("/host=2", 100), "timesharing=*,*"),
      sharing(2, ("/host=2", 100), "timesharing=user,*"),
      sharing(3, ("/host=2", 100), "timesharing=*,name"),
      sharing(4, ("/host=2", 100), "timesharing=user,name"), waiting(5, ("/host=2", 100)),
    ]
    for (planner, plan) in plans(
      of: snapshot(twoHosts, waiting: jobs), needing: [.timesharing])
    {
      let starts = jobs.compactMap { plan.start(of: $0.id) }
      #expect(starts == [1000, 1100, 1200, 1300, 1400], "\(planner)")
    }
  }

  @Test("what can be shared at no time in common is not taken for everything")
  func emptyIntersection() {
    // Shared resources: core 1 until 1050, core 2 from then on; the rest is busy all the time.
    let holders = [
      holding(8, [2], start: 900, walltime: 150), holding(9, [3, 4], start: 900, walltime: 1100),
    ]
    let jobs = [
      sharing(1, ("/core=1", 50), "timesharing=*,*"),
      waiting(2, ("/core=1", 300), properties: "core<=1"),
      sharing(3, ("/core=1", 100), "timesharing=*,*"),
      sharing(4, ("/core=1", 60), "timesharing=*,*"),
      sharing(5, ("/core=2", 60), "timesharing=*,*"),
    ]
    for (planner, plan) in plans(
      of: snapshot(twoHosts, holding: holders, waiting: jobs), needing: [.timesharing])
    {
      #expect(plan.start(of: 1) == 1000 && plan.start(of: 2) == 1050, "\(planner)")
      #expect(plan.start(of: 3) == 1050 && plan.resources(of: 3) == [2], "\(planner)")
      #expect(plan.start(of: 4) == 1050 && plan.resources(of: 4) == [2], "\(planner)")
      #expect(plan.start(of: 5) == 1350, "\(planner)")
    }
  }

  @Test("a job that joins a shared job shares what it has of its own as well")
  func secondSharer() {
    let jobs = [
      sharing(1, ("/core=1", 100), "timesharing=*,*"),
      sharing(2, ("/core=3", 100), "timesharing=*,*"),
      sharing(3, ("/core=3", 100), "timesharing=*,*"), waiting(4, ("/core=1", 100)),
      waiting(5, ("/core=1", 100)),
    ]
    for (planner, plan) in plans(
      of: snapshot(twoHosts, waiting: jobs), needing: [.timesharing])
    {
      #expect(plan.started == [1, 2, 3, 4], "\(planner)")
      #expect(plan.resources(of: 3) == [1, 2, 3], "\(planner)")
      #expect(plan.resources(of: 4) == [4], "\(planner)")
      #expect(plan.start(of: 5) == 1100, "\(planner)")
    }
  }

  @Test("a shared resource is free again only when the last who shares it has ended")
  func lastSharer() {
    let jobs = [
      sharing(1, ("/host=2", 100), "timesharing=*,*"),
      sharing(2, ("/core=1", 250), "timesharing=*,*"), waiting(3, ("/host=2", 10)),
      waiting(4, ("/core=3", 10)),
    ]
    for (planner, plan) in plans(
      of: snapshot(twoHosts, waiting: jobs), needing: [.timesharing])
    {
      #expect(plan.start(of: 3) == 1250, "\(planner)")
      #expect(plan.start(of: 4) == 1100, "\(planner)")
    }
  }

  @Test("a job that can share with a running besteffort job does not end it")
  func sharingWithBesteffort() {
    var guest = holding(9, [1, 2, 3, 4], start: 900, walltime: 5000, besteffort: true)
    guest.user = "bob"
    guest.name = "n"
    guest.types = ["besteffort", "timesharing=*,*"]
    let jobs = [
      sharing(1, ("/host=1", 60), "timesharing=*,*"),
      sharing(2, ("/host=1", 60), "timesharing=user,*"),
    ]
    for (planner, plan) in plans(
      of: snapshot(twoHosts, holding: [guest], waiting: [jobs[0]]), needing: [.timesharing])
    {
      #expect(plan.started == [1] && plan.victims.isEmpty, "\(planner)")
    }
    for (planner, plan) in plans(
      of: snapshot(twoHosts, holding: [guest], waiting: jobs), needing: [.timesharing])
    {
      #expect(plan.started == [1] && plan.victims == [9], "\(planner)")
      #expect(plan.start(of: 2) == 1000, "\(planner)")
    }
  }

  @Test("a placeholder keeps resources from all but those whom it allows")
  func placeholder() {
    let jobs = [
      waiting(1, ("/host=2", 80), types: ["placeholder=p"]), waiting(2, ("/host=1", 60)),
      waiting(3, ("/host=2", 60), types: ["allowed=p"]),
      waiting(4, ("/core=1", 10), types: ["allowed=p"]),
      waiting(5, ("/core=1", 10), types: ["allowed=other"]),
    ]
    for (planner, plan) in plans(
      of: snapshot(twoHosts, waiting: jobs), needing: [.placeholders])
    {
      #expect(plan.started == [1, 3], "\(planner)")
      #expect(plan.start(of: 2) == 1080, "\(planner)")
      #expect(plan.start(of: 4) == 1060, "\(planner)")
      #expect(plan.start(of: 5) == 1080, "\(planner)")
    }
  }

  @Test("a placeholder does not join those whom it would allow")
  func placeholderComesLate() {
    let jobs = [
      waiting(1, ("/host=2", 80), types: ["allowed=p"]),
      waiting(2, ("/host=2", 80), types: ["placeholder=p"]),
    ]
    for (planner, plan) in plans(
      of: snapshot(twoHosts, waiting: jobs), needing: [.placeholders])
    {
      #expect(plan.start(of: 2) == 1080, "\(planner)")
    }
  }
}
