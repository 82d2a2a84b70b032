// Plans that OAR 3's kamelot made, first in first out.

import Scenarios
import Testing

struct VectorTests {
  /// Plans every vector that has quotas, or every one that has none.
  private func check(quotas: Bool) throws -> Int {
    var checked = 0
    for vector in try Vector.load("kamelot-vectors.jsonl") {
      let scenario = try Scenario(parsing: vector.document)
      guard (scenario.quotas != nil) == quotas else { continue }
      let printed = try PrintedPlan(scenario)
      #expect(printed.plan == vector.plan, "\(scenario.name)")
      checked += 1
    }
    return checked
  }

  @Test("every plan without quotas that OAR 3 made is made again, to the resource")
  func plansOfTheOriginal() throws {
    #expect(try check(quotas: false) == 72)
  }

  @Test("every plan with quotas that OAR 3 made is made again, to the resource")
  func plansWithQuotas() throws {
    #expect(try check(quotas: true) == 12)
  }
}
