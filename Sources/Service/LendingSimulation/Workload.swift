// What is played: jobs of a batch system as the paper's figures show them, and applications that fill the holes.

import Glibc

/// A job that is to come.
struct PlayedJob: Sendable, Hashable {
  var id: Int
  /// Seconds from the beginning.
  var arrival: Int
  var nodes: Int
  /// Seconds that it runs, and that it asked for.
  var runtime: Int
  var walltime: Int
}

/// Jobs as in the experiments of Mercier and others, "Big data and HPC collocation: Using HPC idle resources for Big
/// Data analytics" (IEEE BigData 2017): read from its figures.
enum Workload {
  /// How many jobs of a hundred want so many nodes; those between the bounds are alike.
  private static let sizes: [(share: Double, nodes: ClosedRange<Int>)] = [
    (45, 1...1), (31, 2...2), (5, 3...3), (13, 4...4), (4.5, 5...12), (0.3, 16...16),
    (1.2, 32...32),
  ]
  /// Seconds that jobs run: the median of a log-normal distribution with this mean, and its bounds.
  private static let median = 142.0
  private static let mean = 252.0
  private static let bounds = 88.0...1700.0

  /// - Parameters:
  ///   - use: the share of all nodes that jobs have in the mean.
  ///   - length: seconds in which jobs come.
  static func jobs(seed: UInt64, nodes: Int, use: Double, length: Int) -> [PlayedJob] {
    var chance = PlayedChance(seed: seed)
    var jobs: [PlayedJob] = []
    var work = 0.0
    while work < use * Double(nodes * length) {
      let size = min(nodes, size(&chance))
      let deviation = (2 * log(mean / median)).squareRoot()
      let runtime = (median * exp(deviation * chance.normal())).clamped(to: bounds)
      let walltime = runtime * (1.2 + 1.8 * chance.unit())
      jobs.append(
        PlayedJob(
          id: 0, arrival: Int(chance.unit() * Double(length)), nodes: size, runtime: Int(runtime),
          walltime: Int(walltime.rounded(.up))))
      work += Double(size) * runtime
    }
    jobs.sort { $0.arrival < $1.arrival }
    for index in jobs.indices { jobs[index].id = index + 1 }
    return jobs
  }

  private static func size(_ chance: inout PlayedChance) -> Int {
    var draw = chance.unit() * sizes.reduce(0) { $0 + $1.share }
    for (share, nodes) in sizes {
      if draw < share {
        return nodes.lowerBound + Int(chance.unit() * Double(nodes.count))
      }
      draw -= share
    }
    return 1
  }
}

/// An application that always has more to do: each of its pods works through stages of tasks.
struct Application: Sendable, Hashable {
  var name: String
  /// Seconds of a stage: what a pod did of one is lost with it, unless it can hand it over.
  var stage: Double
  /// Seconds of a task.
  var task: Double

  /// Their stages were chosen so that the drain scripts lose what the paper tells; see Docs/BebidaSimulated.md.
  static let all = [
    Application(name: "short stages", stage: 60, task: 5),
    Application(name: "medium stages", stage: 180, task: 10),
    Application(name: "long stages", stage: 240, task: 10),
  ]
}

/// Chances that are the same on every machine.
struct PlayedChance {
  private var state: UInt64

  /// Mixed, as a neighbouring state would give the same chances one later.
  init(seed: UInt64) { state = Self.mix(seed) }

  /// From 0, below 1.
  mutating func unit() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Double(Self.mix(state) >> 11) * 0x1p-53
  }

  private static func mix(_ state: UInt64) -> UInt64 {
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }

  /// With mean 0 and deviation 1.
  mutating func normal() -> Double {
    let (first, second) = (1 - unit(), unit())
    return (-2 * log(first)).squareRoot() * cos(2 * .pi * second)
  }
}

extension Comparable {
  fileprivate func clamped(to bounds: ClosedRange<Self>) -> Self {
    min(max(self, bounds.lowerBound), bounds.upperBound)
  }
}
