// Jobs that make no sense are set aside with a reason, and harm no other.

import ClusterModel
import Kamelot
import Kao
import Testing

private let twoHosts = testPlatform(hosts: 2, coresPerHost: 2)
private let queues = Queue.standard + [Queue(name: "shut", priority: 9, isActive: false)]

struct PoisonTests {
  /// What the engine is able to see that it is poisoned.
  private let poisons = Poison.all.filter { poison in
    poison.needs.map(plannedFeatures.contains) ?? true
  }
  private let healthy = (1...100).map { id in
    id % 2 == 0
      ? waiting(id, ("/host=2", 10)) : waiting(id, ("/core=1", 25), ("/core=3", 10))
  }

  private func plan(_ waiting: [WaitingJob]) -> Plan {
    var input = snapshot(twoHosts, waiting: waiting, queues: queues)
    input.settings.jobsPerPass = 0
    return Kao.plan(input)
  }

  @Test("there are at least a hundred kinds of poisoned jobs")
  func kinds() {
    #expect(Set(Poison.all.map(\.what)).count >= 100)
    #expect(poisons.count >= 100)
  }

  @Test("a poisoned job starts nowhere, has a reason, and the others are planned as without it")
  func oneByOne() {
    let some = Array(healthy.prefix(6))
    let alone = plan(some)
    for poison in poisons {
      let mixed = plan(poison.jobs + some)
      #expect(Set(mixed.starts) == Set(alone.starts), "\(poison.what)")
      for job in some {
        #expect(mixed.placement(of: job.id) == alone.placement(of: job.id), "\(poison.what)")
      }
      check(poison, in: mixed)
    }
  }

  @Test("all poisoned jobs together, among healthy ones, harm none of them")
  func allTogether() {
    let alone = plan(healthy)
    var mixed: [WaitingJob] = []
    for (index, job) in healthy.enumerated() {
      for poison in poisons where poison.jobs[0].id % healthy.count == index {
        mixed += poison.jobs
      }
      mixed.append(job)
    }
    let plan = plan(mixed)
    #expect(plan.starts == alone.starts)
    for job in healthy { #expect(plan.placement(of: job.id) == alone.placement(of: job.id)) }
    for poison in poisons { check(poison, in: plan) }
  }

  private func check(_ poison: Poison, in plan: Plan) {
    for job in poison.jobs {
      #expect(!plan.started.contains(job.id), "\(poison.what)")
      guard let reason = plan.reasons[job.id] else {
        Issue.record("no reason: \(poison.what)")
        continue
      }
      #expect(!reason.text.isEmpty && reason.text.utf8.count < 16_000, "\(poison.what)")
      if let kind = poison.kind { #expect(reason.kind == kind, "\(poison.what): \(reason.text)") }
    }
  }
}
