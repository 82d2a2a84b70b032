// Plans that OAR 3's kamelot made, first in first out, and what its own tests ask of it.

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

  @Test("containers, placeholders, quotas and the rest are planned as OAR 3's own tests want it")
  func acceptance() throws {
    let vectors = try Vector.load("acceptance.jsonl")
    #expect(vectors.count == 28)
    for vector in vectors {
      let scenario = try Scenario(parsing: vector.document)
      #expect(try PrintedPlan(scenario).plan == vector.plan, "\(scenario.name)")
    }
  }

  @Test("jobs that no pass looks at, and queues in another order, change no plan")
  func strangers() throws {
    let strangers = """
      {"id":9001,"state":"Hold","moldables":[{"walltime":9,"groups":[{"levels":[["core",1]]}]}]},
      {"id":9002,"state":"Terminated","moldables":[{"walltime":9,"groups":[{"levels":[["core",1]]}]}]},
      {"id":9003,"state":"Error","moldables":[{"walltime":9,"groups":[{"levels":[["core",1]]}]}]},
      {"id":9004,"state":"toError","moldables":[{"walltime":9,"groups":[{"levels":[["core",1]]}]}]},
      """
    let queues = ["default", "besteffort", "unused"].map {
      "{\"name\":\"\($0)\",\"priority\":\($0 == "default" ? 3 : $0 == "unused" ? 9 : 0)}"
    }
    let vectors = try Vector.load("kamelot-vectors.jsonl") + Vector.load("acceptance.jsonl")
    for vector in vectors {
      let text = String(decoding: vector.document, as: UTF8.self)
      for order in [queues, queues.reversed()] {
        let other = text.replacing(
          "\"jobs\":[", with: "\"queues\":[\(order.joined(separator: ","))],\"jobs\":[\(strangers)")
        let scenario = try Scenario(parsing: other)
        #expect(scenario.setAside.count == 1)
        #expect(try PrintedPlan(scenario).plan == vector.plan, "\(scenario.name)")
      }
    }
  }
}
