// The client of the benchmarks: one measurement a call, each printing its figures. `Benchmarks/run`
// makes the cluster that it needs and calls it there; `Benchmarks/planner` needs none.

import Glibc

@main
enum Main {
  private typealias Measurement = @Sendable (Arguments) async throws -> [Figure]

  private static let benchmarks: [(name: String, measure: Measurement)] = [
    ("submissions", measureSubmissions), ("oarsub", measureCommandSubmissions),
    ("array", measureArray), ("throughput", measureThroughput), ("latency", measureLatency),
    ("commands", measureCommands), ("memory", measureMemory), ("restart", measureRestart),
    ("ready", awaitReadiness), ("record", measureRecord),
    ("storage", measureStorage),
  ]

  static func main() async {
    signal(SIGPIPE, SIG_IGN)
    do {
      let arguments = try Arguments(CommandLine.arguments.dropFirst())
      guard let found = benchmarks.first(where: { $0.name == arguments.name }) else {
        let names = benchmarks.map(\.name).joined(separator: ", ")
        throw BenchmarkError("there is no benchmark \"\(arguments.name)\", but \(names)")
      }
      for figure in try await found.measure(arguments) {
        print(arguments.isJSON ? figure.json : figure.line)
      }
    } catch {
      let line = "liburna-bench: \(error)\n"
      write(STDERR_FILENO, line, line.utf8.count)
      exit(1)
    }
  }
}
