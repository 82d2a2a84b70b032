// Rules of a site that few sites set: suspended jobs, resources that every job gets, short holes, the order of
// reservations.

import ClusterModel
import Kamelot
import Kao
import Testing

private let twoHosts = testPlatform(hosts: 2, coresPerHost: 2)

/// Two hosts of two cores, and a resource of another type on a third, which every job gets.
private func withFrontal(_ state: ResourceState = .alive) -> Platform {
  var frontal = Resource(id: 5)
  frontal.networkAddress = "front"
  frontal.type = "frontal"
  frontal.state = state
  frontal.properties = ["host": .text("front"), "core": .integer(5)]
  return Platform(resources: twoHosts.resources + [frontal])
}

struct KeepingTests {
  @Test("a suspended job gives up its resources, of the types that the site names")
  func suspended() {
    var holder = holding(9, [1, 2, 3, 4, 5], start: 900, walltime: 500)
    holder.isSuspended = true
    let jobs = [
      waiting(1, ("/host=2", 10)), waiting(2, ("{type='frontal'}/resource_id=1", 10)),
    ]
    var input = snapshot(withFrontal(), holding: [holder], waiting: jobs)
    #expect(Kao.plan(input).started == [1])
    #expect(Kao.plan(input).placement(of: 2)?.start == 1400)
    input.settings.suspendedTypes = ["frontal"]
    #expect(Kao.plan(input).started == [2])
    input.settings.suspendedTypes = ["default", "frontal"]
    #expect(Kao.plan(input).started == [1, 2])
    input.settings.suspendedTypes = []
    #expect(Kao.plan(input).started == [])
    input.settings.suspendedTypes = ["default"]
    input.holding[0].isSuspended = false
    #expect(Kao.plan(input).started == [])
  }

  @Test("a host on which a suspended job stands still is not put to sleep")
  func suspendedHost() throws {
    var holder = holding(9, [1, 2], start: 900, walltime: 500)
    holder.isSuspended = true
    var resources = twoHosts.resources
    for index in resources.indices { resources[index].availableUpto = endOfTime - 1 }
    var input = snapshot(
      Platform(resources: resources), holding: [holder], waiting: [], now: 10_000)
    var energy = EnergySettings()
    energy.haltsHosts = true
    energy.idleTime = 1
    input.energy = energy
    #expect(Kao.plan(input).energy?.halt.map(\.host) == ["h2"])
  }

  @Test("resources of a type that is always assigned go to each job, and keep none from starting")
  func alwaysAssigned() {
    let jobs = [
      waiting(1, ("/core=2", 10)), waiting(2, ("/core=2", 10)), waiting(3, ("/core=1", 10)),
      reserved(4, "/core=1", from: 1020, for: 10, on: [1, 5]),
    ]
    var input = snapshot(
      withFrontal(), holding: [holding(9, [4, 5], start: 900, walltime: 500)], waiting: jobs)
    input.settings.alwaysAssignedTypes = ["frontal"]
    let plan = Kao.plan(input)
    #expect(plan.started == [1, 3])
    #expect(plan.placement(of: 1)?.resources == [1, 2, 5])
    #expect(plan.placement(of: 3)?.resources == [3, 5])
    #expect(plan.placement(of: 2)?.resources == [1, 2, 5])
    #expect(plan.placement(of: 4)?.start == 1020 && plan.placement(of: 4)?.resources == [1, 5])
  }

  @Test("those that are not up keep nobody waiting")
  func alwaysAssignedButLost() {
    let jobs = [
      waiting(1, ("/core=1", 10)), reserved(2, "/core=1", from: 1000, for: 10, on: [2, 5]),
    ]
    var input = snapshot(withFrontal(.suspected), waiting: jobs)
    input.settings.alwaysAssignedTypes = ["frontal"]
    let plan = Kao.plan(input)
    #expect(plan.started == [2, 1])
    #expect(plan.placement(of: 1)?.resources == [1])
    #expect(plan.placement(of: 2)?.resources == [2])
  }

  @Test("with them, everything else is planned as without", arguments: Sample.parts)
  func alwaysAssignedChangesNothingElse(part: UInt64) {
    Sample.check(part) { snapshot in
      let plain = Kao.plan(snapshot)
      var richer = snapshot
      var shared = Resource(id: 900)
      shared.type = "frontal"
      shared.networkAddress = "front"
      richer.platform = Platform(resources: snapshot.platform.resources + [shared])
      richer.settings.alwaysAssignedTypes = ["frontal"]
      for index in richer.holding.indices { richer.holding[index].resources.append(900) }
      let plan = Kao.plan(richer)
      for (one, other) in zip(plain.starts + plain.predictions, plan.starts + plan.predictions)
      where one.job != other.job || one.start != other.start
        || one.resources + [900] != other.resources
      {
        return ("job \(one.job) is planned otherwise:\n\(plan.description)", plain)
      }
      let isSame = plan.victims == plain.victims && plan.starts.count == plain.starts.count
      return isSame ? nil : ("others start or end:\n\(plan.description)", plain)
    }
  }
}

struct HoleTests {
  @Test("a job gets no resources that another one needs too soon, however short it is")
  func shortHoles() {
    let jobs = [
      reserved(1, "/host=1", from: 1100, for: 60, on: [1, 2]), waiting(2, ("/core=1", 10)),
      waiting(3, ("/host=1", 10)),
    ]
    var input = snapshot(
      twoHosts, holding: [holding(9, [3], start: 900, walltime: 600)], waiting: jobs)
    for (hole, resources) in [(0, [1]), (100, [1]), (101, [4])] as [(Seconds, [ResourceID])] {
      input.settings.holeMinimum = hole
      for (planner, plan) in plans(of: input, needing: [.holes]) {
        #expect(plan.resources(of: 2) == resources, "\(planner), \(hole)")
        #expect(plan.placement(of: 2)?.end == 1009, "\(planner), \(hole)")
        #expect(plan.start(of: 3) == (hole == 0 ? 1010 : 1160), "\(planner), \(hole)")
      }
    }
  }
}

struct ReservationOrderTests {
  private let byName = Platform(resources: twoHosts.resources.reversed())

  @Test("a new reservation takes its resources in the order for reservations, if it is far enough")
  func order() {
    let jobs = [
      reserved(1, "/core=1", from: 1300, for: 60), reserved(2, "/core=1", from: 1299, for: 60),
      waiting(3, ("/core=1", 10)),
    ]
    var input = snapshot(twoHosts, waiting: jobs)
    input.reservationPlatform = byName
    let plan = Kao.plan(input)
    #expect(plan.accepted == [1, 2])
    #expect(plan.resources(of: 1) == [4])
    #expect(plan.resources(of: 2) == [1])
    #expect(plan.resources(of: 3) == [1])
    input.settings.reservationOrderThreshold = 0
    #expect(Kao.plan(input).resources(of: 2) == [3])
    input.reservationPlatform = nil
    #expect(Kao.plan(input).resources(of: 1) == [1])
  }

  @Test("what is busy then is not taken, whatever the order")
  func busy() {
    var input = snapshot(
      twoHosts, holding: [holding(9, [4], start: 900, walltime: 5000)],
      waiting: [reserved(1, "/host=1", from: 2000, for: 60)])
    input.reservationPlatform = byName
    #expect(Kao.plan(input).resources(of: 1) == [1, 2])
  }
}
