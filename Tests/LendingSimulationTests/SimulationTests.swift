// What a simulation plays, and that it comes to what was published.

import Testing

@testable import LendingSimulation

@Suite("Lending on a played cluster")
struct SimulationTests {
  @Test("workloads are the same each time, of the use that was asked for, and each another")
  func workloads() {
    let jobs = Workload.jobs(seed: 3, nodes: 32, use: 0.7, length: 12_000)
    #expect(jobs == Workload.jobs(seed: 3, nodes: 32, use: 0.7, length: 12_000))
    // Not even some of the same jobs.
    let others = (4...12).flatMap {
      Workload.jobs(seed: $0, nodes: 32, use: 0.7, length: 12_000)
    }
    let both = Set(jobs.map { [$0.runtime, $0.walltime] })
      .intersection(others.map { [$0.runtime, $0.walltime] })
    #expect(both.count < jobs.count / 2)
    let work = jobs.reduce(0) { $0 + $1.nodes * $1.runtime }
    #expect((0.69...0.8).contains(Double(work) / Double(32 * 12_000)))
    #expect(jobs.allSatisfy { $0.runtime < $0.walltime && (1...32).contains($0.nodes) })
  }

  @Test(
    "nodes change hands by the lender's own decisions: pods go before a job begins, and come back")
  func lender() {
    let jobs = [
      PlayedJob(id: 1, arrival: 100, nodes: 2, runtime: 100, walltime: 150),
      PlayedJob(id: 2, arrival: 120, nodes: 2, runtime: 50, walltime: 100),
    ]
    func outcome(_ method: Method) -> PlayedOutcome {
      var play = Play(
        jobs, nodes: 2, length: 1000, method: method, application: Application.all[0])
      return play.outcome()
    }
    let (alone, scripts, bebida) = (outcome(.alone), outcome(.scripts), outcome(.bebida))
    // The second waits for the end of the first.
    #expect((39...42).contains(alone.wait))
    #expect((45...60).contains(scripts.wait))
    #expect((39...43).contains(bebida.wait))
    #expect(alone.effectiveness == 1 && alone.use < 0.2)
    // All but the way between jobs and pods.
    #expect(bebida.use > 0.98 && bebida.use > scripts.use)
    #expect(bebida.effectiveness > scripts.effectiveness)
  }
}
