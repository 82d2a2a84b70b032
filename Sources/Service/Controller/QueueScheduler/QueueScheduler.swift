// kamelot as the scheduler of a queue of OAR's: the process that is called watches over another one, in which
// the pass is made. However that one ends, OAR sees an end that it tolerates: any other would switch the
// queue off.

import ClusterModel
import Glibc
import Wire

/// `kamelot QUEUE EPOCH DATE`.
public enum QueueScheduler {
  /// The exit code of a call that could not be understood: OAR goes on as if nothing was.
  static let badCall: Int32 = 1

  /// Whether the words after the program's name are such a call.
  public static func isCall(_ words: [String]) -> Bool {
    guard let first = words.first else { return false }
    return first == QueueCall.unguarded || !first.hasPrefix("-")
  }

  /// Makes the pass, and ends the process: with 0 whatever became of it, with 1 if the call makes no sense.
  public static func main(_ words: [String]) -> Never {
    signal(SIGPIPE, SIG_IGN)
    let call: QueueCall
    do { call = try QueueCall(words) } catch {
      QueueLog.say("[ERROR] \(error)")
      exit(badCall)
    }
    guard call.isGuarded else { QueueWorker.main(call, limit: nil) }
    let limit = timeLimit()
    let passGuard = PassGuard(
      limit: limit, limitVariable: "SCHEDULER_TIMEOUT",
      exitCode: { [0, QueueWorker.failed].contains($0) ? PassGuard.goOn : nil },
      consequence: "nothing of it was written, and the queue stays as it is",
      say: { QueueLog.say("[ERROR] \($0)") })
    exit(passGuard.run { QueueWorker.main(call, limit: limit) })
  }

  /// SCHEDULER_TIMEOUT: seconds that a pass may take. What is wrong in `oar.conf` is for the pass to say.
  private static func timeLimit() -> Seconds {
    (try? Configuration.ofThisHost()).map(timeLimit) ?? standardLimit
  }

  private static let standardLimit: Seconds = 30
  private static let longestLimit: Seconds = 3600

  /// An hour at most, whatever the site says; the usual time if it says nonsense.
  static func timeLimit(_ configuration: Configuration) -> Seconds {
    let limit = try? configuration.integer(
      "SCHEDULER_TIMEOUT", default: standardLimit, in: 1...Int.max)
    return min(limit ?? standardLimit, longestLimit)
  }
}

/// Lines on standard error, which OAR's server takes to its log.
enum QueueLog {
  static func say(_ text: String) {
    let line = "kamelot: " + text.split(whereSeparator: \.isNewline).joined(separator: " ") + "\n"
    var bytes = Array(line.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
      if count <= 0 { return }
      bytes = bytes.dropFirst(count)
    }
  }
}
