// Advance reservations: promises that are kept, and new ones that are accepted or refused.

import ClusterModel
import Kamelot
import Kao
import Testing

private let twoHosts = testPlatform(hosts: 2, coresPerHost: 2)

struct ReservationTests {
  @Test("jobs of every queue plan around a reservation, and one that waits for it starts after it")
  func plannedAround() {
    let jobs = [
      waiting(1, ("/host=2", 100), queue: "admin"), waiting(2, ("/host=2", 60)),
      waiting(3, ("/core=2", 300)), waiting(4, ("/core=1", 10), after: [.waiting(5)]),
      reserved(5, "/core=2", from: 1080, for: 50, on: [2, 3]),
    ]
    for (planner, plan) in plans(
      of: snapshot(twoHosts, waiting: jobs), needing: [.reservations])
    {
      #expect(
        plan.placement(of: 5)
          == Placement(
            job: 5, start: 1080, end: 1129, moldable: 0, resources: [2, 3], on: twoHosts),
        "\(planner)")
      #expect(plan.start(of: 1) == 1130 && plan.started == [2], "\(planner)")
      #expect(plan.start(of: 3) == 1230 && plan.start(of: 4) == 1230, "\(planner)")
    }
  }

  @Test("a reservation starts at its time, and ends at its time even if it starts late")
  func onTime() {
    for start in [1000, 970] {
      var input = snapshot(
        twoHosts, waiting: [reserved(1, "/host=1", from: start, for: 60, on: [1, 2])])
      input.settings.jobSecurityTime = 20
      for (planner, plan) in plans(of: input, needing: [.reservations]) {
        #expect(plan.started == [1] && plan.start(of: 1) == 1000, "\(planner)")
        #expect(plan.placement(of: 1)?.end == start + 79, "\(planner)")
      }
    }
  }

  @Test("a reservation waits for lost resources, then starts on those that are left")
  func lostResources() {
    let broken = testPlatform(hosts: 2, coresPerHost: 2, down: [2])
    for (start, patience, resources) in [(980, 21, nil), (980, 20, [1, 3]), (700, 300, [1, 3])] {
      var input = snapshot(
        broken,
        waiting: [
          reserved(1, "/core=3", from: start, for: 400, on: [1, 2, 3]), waiting(2, ("/core=1", 10)),
          waiting(3, ("/core=1", 10)),
        ])
      input.settings.reservationPatience = patience
      for (planner, plan) in plans(of: input, needing: [.reservations]) {
        #expect(plan.started.contains(1) == (resources != nil), "\(planner)")
        if let resources { #expect(plan.resources(of: 1) == resources, "\(planner)") }
        #expect((plan.reasons[1] != nil) == (resources == nil), "\(planner)")
        #expect(plan.started.contains(2) && plan.resources(of: 2) == [4], "\(planner)")
        #expect(plan.start(of: 3) == 1010 && plan.resources(of: 3) == [4], "\(planner)")
      }
    }
  }

  @Test("a reservation that lost all its resources does not start, and harms nobody")
  func nothingLeft() {
    let broken = testPlatform(hosts: 2, coresPerHost: 2, down: [1, 2])
    let jobs = [
      reserved(1, "/host=1", from: 500, for: 900, on: [1, 2]), waiting(2, ("/host=1", 10)),
    ]
    for (planner, plan) in plans(
      of: snapshot(broken, waiting: jobs), needing: [.reservations])
    {
      #expect(plan.started == [2] && plan.reasons[1] != nil, "\(planner)")
    }
  }

  @Test("a reservation ends the besteffort jobs on its resources when its time has come")
  func besteffortOnReserved() {
    let guest = holding(9, [1, 3], start: 900, walltime: 5000, besteffort: true)
    for (start, victims) in [(1000, [9]), (1001, [])] {
      let jobs = [reserved(1, "/host=1", from: start, for: 60, on: [1, 2])]
      for (planner, plan) in plans(
        of: snapshot(twoHosts, holding: [guest], waiting: jobs), needing: [.reservations])
      {
        #expect(plan.starts.isEmpty && plan.victims == victims, "\(planner)")
        #expect(plan.resources(of: 1) == [1, 2] && plan.reasons[1] != nil, "\(planner)")
      }
    }
  }

  @Test("a reservation does not start on what an overdue job still has")
  func overdueHolder() {
    let input = snapshot(
      twoHosts, holding: [holding(9, [1], start: 900, walltime: 100)],
      waiting: [reserved(1, "/host=1", from: 1000, for: 60, on: [1, 2])])
    guard plannedFeatures.contains(.reservations) else { return }
    let plan = Kao.plan(input)
    #expect(plan.starts.allSatisfy { !$0.resources.contains(1) })
  }

  @Test("a container that is reserved offers its resources in its time")
  func reservedContainer() {
    let jobs = [
      reserved(1, "/host=1", from: 1050, for: 60, on: [1, 2], types: ["container=c"]),
      waiting(2, ("/core=2", 50), types: ["inner=c"]),
      waiting(3, ("/core=1", 11), types: ["inner=c"]),
    ]
    for (planner, plan) in plans(
      of: snapshot(twoHosts, waiting: jobs), needing: [.reservations, .containers])
    {
      #expect(plan.start(of: 2) == 1050 && plan.placement(of: 3) == nil, "\(planner)")
    }
  }
}

struct NewReservationTests {
  @Test("a new reservation gets its exact time, before the jobs of lower queues")
  func accepted() {
    let jobs = [
      waiting(1, ("/host=1", 100)), reserved(2, "/host=1", from: 1050, for: 100),
      reserved(3, "/host=2", from: 1200, for: 50, queue: "admin"), waiting(4, ("/host=2", 150)),
      waiting(5, ("/core=1", 10), queue: "besteffort"),
    ]
    for (planner, plan) in plans(
      of: snapshot(twoHosts, waiting: jobs), needing: [.newReservations])
    {
      #expect(plan.started == [1, 5], "\(planner)")
      #expect(plan.start(of: 3) == 1200 && plan.start(of: 4) == 1250, "\(planner)")
      #expect(
        plan.placement(of: 2)
          == Placement(
            job: 2, start: 1050, end: 1149, moldable: 0, resources: [3, 4], on: twoHosts),
        "\(planner)"
      )
    }
  }

  @Test(
    "a job that depends on a new reservation follows it, and waits in vain for one that is refused")
  func dependents() {
    let jobs = [
      waiting(1, ("/core=1", 10), after: [.waiting(2)]),
      waiting(3, ("/core=1", 10), after: [.waiting(1)]),
      reserved(2, "/host=1", from: 1050, for: 100),
      waiting(4, ("/core=1", 10), after: [.waiting(5)]),
      reserved(5, "/host=2", from: 1050, for: 100),
    ]
    for (planner, plan) in plans(
      of: snapshot(twoHosts, waiting: jobs), needing: [.newReservations])
    {
      #expect(plan.start(of: 1) == 1150 && plan.start(of: 3) == 1160, "\(planner)")
      #expect(plan.placement(of: 4) == nil && plan.reasons[4]?.kind == .dependency, "\(planner)")
    }
  }

  @Test("a new reservation does not move the jobs of its queue, and is told when it would fit")
  func refused() {
    let jobs = [
      reserved(1, "/host=2", from: 86_400, for: 50), waiting(2, ("/host=2", 90_000)),
      waiting(3, ("/host=1", 100)),
    ]
    for (planner, plan) in plans(
      of: snapshot(twoHosts, waiting: jobs), needing: [.newReservations])
    {
      #expect(plan.started == [2] && plan.start(of: 3) == 91_000, "\(planner)")
      #expect(plan.placement(of: 1) == nil, "\(planner)")
    }
    guard plannedFeatures.contains(.newReservations) else { return }
    let text = Kao.plan(snapshot(twoHosts, waiting: jobs)).reasons[1]?.text ?? ""
    #expect(text.contains(dateText(91_100)), "\(text)")
  }

  @Test("a new reservation for the past is moved to now, and refused if it would be over")
  func inThePast() {
    for (start, walltime, expected) in [(990, 11, 1000), (990, 10, nil), (0, 5000, 1000)] {
      let jobs = [reserved(1, "/host=1", from: start, for: walltime)]
      for (planner, plan) in plans(
        of: snapshot(twoHosts, waiting: jobs), needing: [.newReservations])
      {
        #expect(plan.start(of: 1) == expected, "\(planner)")
        if expected != nil { #expect(plan.placement(of: 1)?.end == 999 + walltime, "\(planner)") }
      }
    }
  }

  @Test("a new reservation is judged by its first moldable alone")
  func firstMoldable() {
    var job = waiting(1, ("/host=2", 50), ("/host=1", 50))
    job.reservation = Reservation(start: 1010)
    let input = snapshot(
      twoHosts, holding: [holding(9, [1], start: 900, walltime: 120)], waiting: [job])
    for (planner, plan) in plans(of: input, needing: [.newReservations]) {
      #expect(plan.placement(of: 1) == nil && plan.reasons[1] != nil, "\(planner)")
    }
  }
}
