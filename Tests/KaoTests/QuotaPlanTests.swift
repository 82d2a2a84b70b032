// Quotas and what else decides about a place: reservations, besteffort jobs, requests of no fixed size.

import ClusterModel
import Encoding
import Kamelot
import Kao
import Testing

private func limited(_ input: Snapshot, _ rules: String) throws -> Snapshot {
  var input = input
  let document = try JSONReader.read("{\"quotas\": {\(rules)}}")
  input.quotas = try Quotas(document, allResources: input.platform.resources.count)
  return input
}

struct QuotaPlanTests {
  @Test("a reservation that waits for lost resources counts for its user's quota")
  func waitingReservation() throws {
    let platform = testPlatform(hosts: 2, coresPerHost: 2, down: [2])
    let jobs = [
      reserved(1, "/host=1", from: 1000, for: 100, on: [1, 2]), waiting(2, ("/core=1", 50)),
    ]
    let input = try limited(snapshot(platform, waiting: jobs), "\"*,*,*,/\": [2, -1, -1]")
    for (planner, plan) in plans(of: input, needing: [.quotas]) {
      #expect(plan.starts.isEmpty, "\(planner)")
      #expect(plan.start(of: 2) == 1100, "\(planner)")
    }
  }

  @Test("a job that spares a besteffort job does not take a bigger host than its quota allows")
  func sparingWithinQuotas() throws {
    let platform = testPlatform(hosts: 2, coresPerHost: 2, down: [2])
    var guest = holding(9, [1], start: 900, walltime: 500, besteffort: true)
    guest.user = "bob"
    let input = try limited(
      snapshot(platform, holding: [guest], waiting: [waiting(1, ("/host=1", 50))]),
      "\"*,*,*,/\": [1, -1, -1]")
    for (planner, plan) in plans(of: input, needing: [.quotas, .besteffort]) {
      #expect(plan.resources(of: 1) == [1], "\(planner)")
      #expect(plan.victims == [9], "\(planner)")
    }
  }

  @Test("a job that takes the best that there is starts while there is no more than its quota")
  func bestWithinQuotas() throws {
    let platform = testPlatform(hosts: 2, coresPerHost: 2)
    let jobs = [
      reserved(1, "/core=3", from: 1050, for: 100, on: [1, 2, 3]),
      waiting(2, ("/core=BEST", 50)),
    ]
    var input = snapshot(platform, waiting: jobs)
    input.waiting[0].user = "bob"
    input = try limited(input, "\"*,*,*,/\": [2, -1, -1]")
    for (planner, plan) in plans(of: input, needing: [.quotas, .varyingSizes]) {
      #expect(plan.start(of: 2) == 1050 && plan.resources(of: 2) == [4], "\(planner)")
    }
  }
}
