// All runs of a simulation, and what they come to: a table, and a picture.

/// What is to be played.
public struct SimulationSettings: Sendable, Hashable {
  public var nodes = 32
  /// How many workloads, each with a seed of its own, from 1.
  public var workloads = 5
  /// Seconds in which jobs come.
  public var length = 12_000
  /// The share of the nodes that jobs have.
  public var use = 0.7

  public init() {}
}

/// The runs: each workload alone, and with each application by each method.
public struct SimulationReport: Sendable {
  struct Run: Sendable, Hashable {
    var workload: Int
    var application: Application
    var method: Method
    var outcome: PlayedOutcome
  }

  let settings: SimulationSettings
  private(set) var runs: [Run] = []

  /// Plays everything, as many runs at a time as there are processors.
  public static func played(_ settings: SimulationSettings) async -> SimulationReport {
    var report = SimulationReport(settings: settings)
    await withTaskGroup(of: Run.self) { group in
      for workload in 1...settings.workloads {
        let jobs = Workload.jobs(
          seed: UInt64(workload), nodes: settings.nodes, use: settings.use, length: settings.length)
        for (application, method) in plays {
          group.addTask {
            var play = Play(
              jobs, nodes: settings.nodes, length: settings.length, method: method,
              application: application)
            return Run(
              workload: workload, application: application, method: method,
              outcome: play.outcome())
          }
        }
      }
      for await run in group { report.runs.append(run) }
    }
    return report
  }

  /// Jobs alone know no application.
  private static var plays: [(Application, Method)] {
    [(Application.all[0], .alone)]
      + [Method.published, .scripts, .bebida, .abrupt].flatMap { method in
        Application.all.map { ($0, method) }
      }
  }

  // MARK: Figures

  func mean(
    _ method: Method, workload: Int? = nil, application: Application? = nil,
    _ figure: (PlayedOutcome) -> Double
  ) -> Double {
    let chosen = runs.filter {
      $0.method == method && (workload ?? $0.workload) == $0.workload
        && (application ?? $0.application) == $0.application
    }
    return chosen.isEmpty
      ? 0 : chosen.map { figure($0.outcome) }.reduce(0, +) / Double(chosen.count)
  }

  /// How much longer jobs wait than alone, as a share: the mean over the workloads.
  func change(_ method: Method) -> Double {
    let changes = (1...settings.workloads).map { change(method, workload: $0) }
    return changes.reduce(0, +) / Double(changes.count)
  }

  func change(_ method: Method, workload: Int) -> Double {
    mean(method, workload: workload, \.wait) / mean(.alone, workload: workload, \.wait) - 1
  }

  // MARK: As text

  /// The table, in Markdown.
  public var text: String {
    var lines = [
      "\(settings.nodes) nodes, \(settings.workloads) workloads of \(settings.length) s; jobs alone have "
        + "\(percent(mean(.alone, \.jobUse))) of the nodes' time and wait "
        + "\(Int(mean(.alone, \.wait).rounded())) s in the mean.",
      "",
      "| | as published | drain scripts | bebida | bebida, nothing handed over |",
      "| --- | --- | --- | --- | --- |",
      row("jobs wait longer, mean of the workloads") { signed(change($0)) },
    ]
    for workload in 1...settings.workloads {
      let alone = Int(mean(.alone, workload: workload, \.wait).rounded())
      lines.append(
        row("workload \(workload) (\(alone) s alone)") { signed(change($0, workload: workload)) })
    }
    lines.append(row("effectiveness of pods' work") { decimal(mean($0, \.effectiveness)) })
    for application in Application.all {
      lines.append(
        row("with \(application.name) (\(Int(application.stage)) s)") {
          decimal(mean($0, application: application, \.effectiveness))
        })
    }
    lines.append(row("nodes in use") { percent(mean($0, \.use)) })
    return lines.joined(separator: "\n") + "\n"
  }

  private func row(_ name: String, _ value: (Method) -> String) -> String {
    "| \(name) | \(value(.published)) | \(value(.scripts)) | \(value(.bebida)) | "
      + "\(value(.abrupt)) |"
  }

  private func percent(_ share: Double) -> String { "\(decimal(share * 100, places: 1)) %" }

  private func signed(_ share: Double) -> String { (share < 0 ? "" : "+") + percent(share) }

  func decimal(_ value: Double, places: Int = 2) -> String {
    var scale = 1
    for _ in 0..<places { scale *= 10 }
    let rounded = Int((abs(value) * Double(scale)).rounded())
    let part = String(rounded % scale)
    let zeros = String(repeating: "0", count: places - part.count)
    return (value < 0 && rounded > 0 ? "-" : "") + "\(rounded / scale).\(zeros)\(part)"
  }
}
