// Plug-ins: what they choose counts, what can't be had is refused, and one that errs harms one job.

import ClusterModel
import Kamelot
import Kao
import Testing

/// Chooses as many resources as are asked for, all in a row.
private struct Contiguous: ResourceFinder {
  func find(_ question: FindQuestion) throws(PluginError) -> PluginAnswer<ResourceSet> {
    var run: [Int] = []
    for place in question.free {
      run = run.last == place - 1 ? run + [place] : [place]
      if run.count == question.request.need {
        return .chosen(ResourceSet(capacity: question.free.capacity, run))
      }
    }
    return .nothing(because: "there are no \(question.request.need) in a row")
  }
}

/// Starts jobs on the hour, where the planner would.
private struct OnTheHour: JobAssigner {
  func assign(
    _ question: AssignQuestion, on view: inout PlanView
  ) throws(PluginError) -> PluginAnswer<PluginSpot> {
    var from = question.notBefore
    while let earliest = view.earliestSpot(notBefore: from) {
      let hour = (earliest.start + 3599) / 3600 * 3600
      if let spot = view.spot(at: hour) { return .chosen(spot) }
      from = hour + 1
    }
    return .nothing(because: nil)
  }
}

/// Chooses always the same places, or says that it can't.
private struct Stubborn: ResourceFinder, JobAssigner {
  var places: [Int]?
  var start: Instant = 1000
  var keepsCounts = true

  func find(_ question: FindQuestion) throws(PluginError) -> PluginAnswer<ResourceSet> {
    guard let places else { throw PluginError("it has no mood") }
    return .chosen(ResourceSet(capacity: question.free.capacity, places))
  }

  func assign(
    _ question: AssignQuestion, on view: inout PlanView
  ) throws(PluginError) -> PluginAnswer<PluginSpot> {
    guard let places else { return .nothing(because: "not in the mood") }
    let capacity = question.platform.resources.count
    return .chosen(PluginSpot(start: start, places: ResourceSet(capacity: capacity, places)))
  }
}

private struct ShortestFirst: JobSorter {
  func sort(_ question: SortQuestion) throws(PluginError) -> [Int] {
    question.jobs.indices.sorted {
      (question.jobs[$0].moldables[0].walltime, $0) < (question.jobs[$1].moldables[0].walltime, $1)
    }
  }
}

private struct FixedOrder: JobSorter {
  var order: [Int]

  func sort(_ question: SortQuestion) throws(PluginError) -> [Int] { order }
}

/// Leaves out jobs as soon as something is planned.
private struct Strict: ExtraPass {
  var leavesOut: [JobID]

  func run(_ question: ExtraQuestion) throws(PluginError) -> [JobID: String] {
    if question.queues == ["broken"] { throw PluginError("it does not like this queue") }
    if question.placements.isEmpty { return [:] }
    return Dictionary(uniqueKeysWithValues: leavesOut.map { ($0, "enough is planned") })
  }
}

private func finders(_ name: String, _ finder: any ResourceFinder) -> PlannerPlugins {
  var plugins = PlannerPlugins()
  plugins.finders[name] = finder
  return plugins
}

private func assigners(_ name: String, _ assigner: any JobAssigner) -> PlannerPlugins {
  var plugins = PlannerPlugins()
  plugins.assigners[name] = assigner
  return plugins
}

private let twoHosts = testPlatform(hosts: 2, coresPerHost: 2)

struct PluginTests {
  @Test("a finder that wants contiguous resources waits until there are some")
  func contiguous() {
    let input = snapshot(
      twoHosts, holding: [holding(9, [2], start: 1000, walltime: 100)],
      waiting: [waiting(1, ("/core=3", 50), types: ["find=row"]), waiting(2, ("/core=3", 50))])
    let plan = Kao.plan(input, plugins: finders("row", Contiguous()))
    #expect(plan.placement(of: 1)?.start == 1100)
    #expect(plan.placement(of: 1)?.resources == [1, 2, 3])
    #expect(plan.reasons[1]?.kind == .plugin)
    #expect(plan.placement(of: 2)?.start == 1000)
    #expect(plan.placement(of: 2)?.resources == [1, 3, 4])
  }

  @Test("a finder is asked again wherever jobs before it end, and its jobs are in nobody's way")
  func turns() {
    let input = snapshot(
      twoHosts,
      waiting: [
        waiting(1, ("{core=2}/core=1", 70)), waiting(2, ("{core=3}/core=1", 30)),
        waiting(3, ("/core=2", 10), types: ["find=row"]),
        waiting(4, ("/core=4", 10), types: ["find=row"]), waiting(5, ("/core=2", 20)),
      ])
    let plan = Kao.plan(input, plugins: finders("row", Contiguous()))
    #expect(plan.placement(of: 3)?.start == 1030)
    #expect(plan.placement(of: 3)?.resources == [3, 4])
    #expect(plan.placement(of: 4)?.start == 1070)
    #expect(plan.placement(of: 5)?.start == 1000)
  }

  @Test("an assigner may start jobs on the hour alone")
  func hourly() {
    let input = snapshot(
      twoHosts,
      waiting: [
        waiting(1, ("/core=4", 3000)), waiting(2, ("/core=4", 10), types: ["assign=hourly"]),
        waiting(3, ("/core=4", 10)),
        waiting(4, ("/core=3", 10), ("/core=1", 5), types: ["assign=hourly"]),
      ])
    let plan = Kao.plan(input, plugins: assigners("hourly", OnTheHour()))
    #expect(plan.placement(of: 2)?.start == 7200)
    #expect(plan.placement(of: 3)?.start == 4000)
    #expect(plan.placement(of: 4)?.start == 10800)
    #expect(plan.placement(of: 4)?.moldable == 1)
    #expect(plan.reasons[2]?.text == "Its plug-in \"hourly\" has a place for it only later.")
  }

  @Test("a job whose plug-in is not there is set aside, whatever the plug-ins of the other kind")
  func missing() {
    let jobs = [
      waiting(1, ("/core=4", 10), types: ["assign=row"]), waiting(2, ("/core=4", 10)),
    ]
    let plan = Kao.plan(
      snapshot(twoHosts, waiting: jobs), plugins: finders("row", Contiguous()))
    #expect(plan.started == [2])
    #expect(
      plan.reasons[1]
        == Reason(.plugin, "There is no plug-in \"row\" for its type assign."))
    #expect(Kao.plan(snapshot(twoHosts, waiting: jobs)).reasons[1]?.kind == .plugin)
  }

  @Test(
    "a finder that chooses what can't be had harms its job alone",
    arguments: [
      ([0, 1], "not free: 2"), ([], "no resource"), ([0], "choice of 1 resource is not /core=2"),
      ([0, 2, 3], "choice of 3 resources"), (nil, "failed: it has no mood"),
      ([0, 4], "resources that do not match: 5"),
    ])
  func nonsense(places: [Int]?, says: String) {
    let platform = testPlatform(hosts: 3, coresPerHost: 2)
    let input = snapshot(
      platform, holding: [holding(9, [2], start: 1000, walltime: 100)],
      waiting: [
        waiting(1, ("{core<5}/core=2", 10), types: ["find=odd"]), waiting(2, ("/core=3", 10)),
      ])
    let plan = Kao.plan(input, plugins: finders("odd", Stubborn(places: places)))
    #expect(plan.placement(of: 1) == nil)
    #expect(plan.reasons[1]?.kind == .plugin)
    #expect(plan.reasons[1]?.text.contains(says) == true, "\(plan.reasons[1]?.text ?? "")")
    #expect(plan.reasons[1]?.text.contains("\"odd\"") == true)
    #expect(plan.started == [2])
  }

  @Test("an assigner that errs about the time or has no spot harms its job alone")
  func wrongTime() {
    func reason(_ assigner: Stubborn, _ types: String...) -> String? {
      let input = snapshot(
        twoHosts, holding: [holding(9, [1], start: 1000, walltime: 100)],
        waiting: [
          waiting(1, ("/core=1", 10), types: ["assign=odd"] + types), waiting(2, ("/core=1", 10)),
        ])
      let plan = Kao.plan(input, plugins: assigners("odd", assigner))
      #expect(plan.started == [2])
      return plan.reasons[1]?.text
    }
    #expect(
      reason(Stubborn(places: [1], start: 999))
        == "Its plug-in \"odd\" failed: it chose the start 999, before 1000.")
    #expect(reason(Stubborn(places: [0], start: 1050))?.contains("not free: 1") == true)
    #expect(reason(Stubborn())?.hasSuffix("has no place for it: not in the mood.") == true)
  }

  @Test("a finder that does not keep to the counts may take what is free")
  func freeChoice() {
    let input = snapshot(
      twoHosts, holding: [holding(9, [2], start: 1000, walltime: 100)],
      waiting: [waiting(1, ("/core=4", 10), types: ["find=any"])])
    let plan = Kao.plan(
      input, plugins: finders("any", Stubborn(places: [0, 3], keepsCounts: false)))
    #expect(plan.started == [1])
    #expect(plan.placement(of: 1)?.resources == [1, 4])
  }

  @Test("half of the best is as good as whatever whole blocks a finder takes")
  func half() {
    let input = snapshot(
      twoHosts, waiting: [waiting(1, ("/host=BESTHALF", 10), types: ["find=last"])])
    let last = Kao.plan(input, plugins: finders("last", Stubborn(places: [2, 3])))
    #expect(last.placement(of: 1)?.resources == [3, 4])
    let broken = Kao.plan(input, plugins: finders("last", Stubborn(places: [1, 2])))
    #expect(broken.placement(of: 1) == nil)
  }

  @Test("what a finder chose stays as it is when besteffort jobs have to go")
  func besteffort() {
    let input = snapshot(
      twoHosts, holding: [holding(9, [1], start: 900, walltime: 1000, besteffort: true)],
      waiting: [waiting(1, ("/core=1", 10), types: ["find=first"])])
    let plan = Kao.plan(input, plugins: finders("first", Stubborn(places: [0])))
    #expect(plan.placement(of: 1)?.resources == [1])
    #expect(plan.victims == [9])
  }

  @Test("a reservation can't be made by a plug-in")
  func reservation() {
    var job = waiting(1, ("/core=1", 10), types: ["find=row"])
    job.reservation = Reservation(start: 2000)
    let plan = Kao.plan(
      snapshot(twoHosts, waiting: [job]), plugins: finders("row", Contiguous()))
    #expect(plan.refused == [1])
  }

  @Test("a finder that never chooses is asked so often and no more")
  func patience() {
    final class Never: ResourceFinder {
      func find(_ question: FindQuestion) throws(PluginError) -> PluginAnswer<ResourceSet> {
        .nothing(because: nil)
      }
    }
    let many = (1...PlannerPlugins.askLimit + 5).map { waiting($0, ("/core=3", 10)) }
    let asking = waiting(5000, ("/core=1", 10), types: ["find=never"])
    var input = snapshot(twoHosts, waiting: many + [asking])
    input.settings.jobsPerPass = 0
    let plan = Kao.plan(input, plugins: finders("never", Never()))
    #expect(plan.reasons[5000]?.text.contains("was asked 1000 times") == true)
    input.waiting = [asking]
    #expect(
      Kao.plan(input, plugins: finders("never", Never())).reasons[5000]?.text
        == "Its plug-in \"never\" has no place for it.")
  }

  @Test("a sorter decides the order within the queues of one priority")
  func sorts() {
    var plugins = PlannerPlugins()
    plugins.sorter = ShortestFirst()
    let input = snapshot(
      twoHosts,
      waiting: [
        waiting(1, ("/core=4", 30)), waiting(2, ("/core=4", 10)),
        waiting(3, ("/core=4", 90), queue: "admin"),
      ])
    let plan = Kao.plan(input, plugins: plugins)
    #expect(plan.order == [3, 2, 1])
    #expect(plan.pluginProblems.isEmpty)
  }

  @Test("a sorter that loses or doubles jobs is passed over", arguments: [[0], [0, 0], [0, 2]])
  func badSorter(order: [Int]) {
    var plugins = PlannerPlugins()
    plugins.sorter = FixedOrder(order: order)
    let input = snapshot(
      twoHosts, waiting: [waiting(1, ("/core=4", 30)), waiting(2, ("/core=4", 10))])
    let plan = Kao.plan(input, plugins: plugins)
    #expect(plan.order == [1, 2])
    #expect(plan.pluginProblems.count == 1)
  }

  @Test("an extra pass leaves jobs out, and one that errs is passed over")
  func extraPass() {
    var plugins = PlannerPlugins()
    plugins.extraPasses = [.init("strict", Strict(leavesOut: [2, 77]))]
    let queues = [
      Queue(name: "first", priority: 9), Queue(name: "broken", priority: 5),
      Queue(name: "last", priority: 1),
    ]
    let input = snapshot(
      twoHosts,
      waiting: [
        waiting(1, ("/core=1", 30), queue: "first"), waiting(2, ("/core=1", 10), queue: "last"),
        waiting(3, ("/core=1", 10), queue: "last"), waiting(4, ("/core=1", 10), queue: "broken"),
      ], queues: queues)
    let plan = Kao.plan(input, plugins: plugins)
    #expect(plan.started == [1, 4, 3])
    #expect(
      plan.reasons[2]
        == Reason(.plugin, "The extra pass \"strict\" left it out: enough is planned."))
    #expect(plan.pluginProblems.count == 2)
  }
}
