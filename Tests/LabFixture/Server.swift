// The server of a lab as a process: killed, paused, configured otherwise. The lab starts it again
// whenever it ends.

import Glibc
import Testing

extension LabFixture {
  /// The process ids of a program on a host, as the host numbers them.
  package func processes(of program: String, on host: String) async throws -> [Int] {
    try await run(["pgrep", "-x", program], as: "root", on: host).lines.compactMap { Int($0) }
  }

  /// Kills the server and gives the milliseconds from the instant that it is dead until its successor
  /// answers.
  @discardableResult
  package func restartServer(by signal: String = "KILL") async throws -> Int {
    let script = """
      pid=$(pgrep -o -x liburnad) || { echo no server; exit 1; }
      kill -\(signal) $pid
      timeout 30 tail --pid=$pid -s 0.01 -f /dev/null
      \(Self.awaitAnswer)
      """
    let result = try await run(["bash", "-c", script], as: "root", on: "server")
    guard result.exitCode == 0, let milliseconds = Int(result.word) else {
      throw StoryError("the server does not come back: \(result)\n\(try await serverLog())")
    }
    return milliseconds
  }

  /// Prints the milliseconds that it took until the server answers.
  private static let awaitAnswer = """
    began=${EPOCHREALTIME/./}
    until oarqueue >/dev/null 2>&1; do
      [ $((${EPOCHREALTIME/./} - began)) -lt 20000000 ] || exit 1
      sleep 0.01
    done
    echo $(( (${EPOCHREALTIME/./} - began) / 1000 ))
    """

  /// Starts the server by hand, when the lab has given it up because it could not start.
  package func startServer() async throws {
    let script = """
      if ! pgrep -x liburnad >/dev/null; then
        setsid liburnad </dev/null >/dev/null 2>/var/lib/oar/by-hand.log &
      fi
      \(Self.awaitAnswer)
      """
    let result = try await run(["bash", "-c", script], as: "oar", on: "server")
    guard result.exitCode == 0 else {
      throw StoryError("the server does not start: \(result)\n\(try await serverLog())")
    }
  }

  /// Does something while the server stands still: it hears and writes nothing, but is not gone.
  package func whileServerStands<Value>(_ body: () async throws -> Value) async throws -> Value {
    try await shell("pkill -STOP -x liburnad", as: "root", on: "server")
    do {
      let value = try await body()
      try await shell("pkill -CONT -x liburnad || true", as: "root", on: "server")
      return value
    } catch {
      try await shell("pkill -CONT -x liburnad || true", as: "root", on: "server")
      throw error
    }
  }

  /// Adds lines to the server's configuration and starts it with them.
  package func configure(_ lines: [String]) async throws {
    let text = lines.joined(separator: "\n")
    try await shell("cat >> /etc/oar/oar.conf <<'END'\n\(text)\nEND", as: "root", on: "server")
    try await restartServer(by: "TERM")
  }

  /// Whatever the stories of a suite did, the server must have survived it.
  func expectServerLives() async throws {
    let result = try await run("oarqueue", as: "root", on: "server")
    if result.exitCode != 0 { Issue.record("the server died:\n\(try await serverLog())") }
  }

  /// How often the server has ended since the lab began.
  package func serverDeaths() async throws -> Int {
    try await lab("logs", "server").stdout.split(separator: "\n")
      .count { $0.hasPrefix("service liburnad ended") }
  }

  /// Waits until the server has written a text to its log.
  package func awaitServerLog(_ text: String, within seconds: Int = 120) async throws {
    let late = Deadline(seconds: seconds)
    while !(try await serverLog(lines: 1000).contains(text)) {
      guard !late.isOver else {
        throw StoryError("the server's log has no \(text):\n\(try await serverLog())")
      }
    }
  }

  /// The last of what the server wrote.
  package func serverLog(lines: Int = 60) async throws -> String {
    let byHand = try await run("cat", "/var/lib/oar/by-hand.log", as: "root", on: "server")
    let text = try await lab("logs", "server").stdout + byHand.stdout
    return text.split(separator: "\n").filter { !$0.hasPrefix("Set property") }.suffix(lines)
      .joined(separator: "\n")
  }
}
