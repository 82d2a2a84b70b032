// Kills at random instants under a load of short jobs: of the server, of agents, of connections. What
// was acknowledged must be run, once, on resources of its own, and end as it should.

import Glibc
import LabFixture
import Testing

@Suite("Kills under load", .serialized, .lab("kills"))
struct Torture {
  @Test("no job is lost, run twice or ended wrongly, and no resource given twice")
  func kills() async throws {
    let lab = try LabFixture.here
    let count = Self.setting("LIBURNA_TORTURE_KILLS") ?? 300
    let seed = Self.setting("LIBURNA_TORTURE_SEED").map(UInt64.init) ?? .random(in: 1...1_000_000)
    print("torture: \(count) kills, LIBURNA_TORTURE_SEED=\(seed)")
    let load = try await Load.start(in: lab)
    var killer = Killer(lab: lab, seed: seed)
    do {
      for _ in 0..<count { try await killer.strike() }
    } catch {
      throw StoryError("after \(killer.kills): \(error)\n\(try await lab.serverLog())")
    }
    try await load.stop()
    let times = killer.restarts.sorted()
    let middle = times.isEmpty ? 0 : times[times.count / 2]
    print("torture: \(killer.kills); answers after \(middle) ms, \(times.last ?? 0) at most")
    let verdict = try await Verdict(lab: lab)
    print("torture: \(verdict.jobs.count) jobs, \(verdict.acknowledged.count) acknowledged")
    #expect(verdict.jobs.count > count / 10, "there was no load")
    #expect(verdict.lost == [])
    #expect(verdict.ranTwice == [])
    #expect(verdict.neverRan == [])
    #expect(verdict.endedWrongly == [])
    #expect(verdict.toldWrongly == [])
    #expect(verdict.sharedResources == [])
    // How long it takes is measured by Benchmarks/run: a machine may be busy with other things.
    #expect(middle <= 10_000)
    #expect(times.allSatisfy { $0 <= 60_000 })
  }

  private static func setting(_ name: String) -> Int? {
    getenv(name).flatMap { Int(String(cString: $0)) }
  }
}

/// Strikes at something, and waits a random while.
struct Killer {
  let lab: LabFixture
  var kills: [String: Int] = [:]
  /// How long the server took to answer again, each time, in milliseconds.
  var restarts: [Int] = []
  private var random: Sequence

  init(lab: LabFixture, seed: UInt64) {
    self.lab = lab
    random = Sequence(state: seed)
  }

  mutating func strike() async throws {
    try await Task.sleep(for: .milliseconds(Int.random(in: 0...300, using: &random)))
    let node = "node\(Int.random(in: 1...3, using: &random))"
    let pick = Int.random(in: 0..<10, using: &random)
    switch pick {
    case 0..<4: try await restartServer()
    case 4..<7:
      // The oldest: a shepherd bears the agent's name for an instant after its birth.
      try await kill("agent", "pkill -9 -o -x liburna-node", as: "root", on: node)
    case 7..<9:
      try await kill("ssh", "pkill -9 -f -- '^ssh .*root@\(node) '", as: "oar", on: "server")
    default:
      try await kill("connection", "pkill -9 -f '^sshd: root@notty'", as: "root", on: node)
    }
  }

  /// Whether there was one to kill, or it was just being made, does not matter: both happen.
  private mutating func kill(
    _ what: String, _ command: String, as user: String, on host: String
  ) async throws {
    let result = try await lab.run(["bash", "-c", command], as: user, on: host)
    guard result.exitCode <= 1 else { throw StoryError("\(command) on \(host): \(result)") }
    kills[what, default: 0] += 1
  }

  private mutating func restartServer() async throws {
    restarts.append(try await lab.restartServer())
    kills["server", default: 0] += 1
  }
}

/// Random numbers that the seed repeats (SplitMix64).
struct Sequence: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
