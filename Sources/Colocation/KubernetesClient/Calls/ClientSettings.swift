// How patient a client is, and how much it takes.

public struct ClientSettings: Sendable {
  /// Seconds to a connection, TLS included.
  public var connectTimeout = 5.0
  /// Seconds for one request and its answer.
  public var requestTimeout = 30.0
  /// Seconds of a watch without a byte. A server tells where it is once a minute even if nothing happens.
  public var watchIdle = 100.0
  /// Seconds after which the server is to end a watch; up to half as much is added at random, so that
  /// many watches do not end at once.
  public var watchLength = 600.0
  /// Seconds after which a peer that acknowledges nothing counts as gone.
  public var deadAfter = 15.0

  /// How often a request that may be repeated is made at most.
  public var attempts = 4
  /// Seconds before the second attempt; each further one waits twice as long, up to the limit, and each
  /// between half of it and all of it.
  public var firstPause = 0.2
  public var longestPause = 10.0
  /// A server that wants a longer wait, in seconds, is not waited for.
  public var longestRetryAfter = 30

  /// The most bytes of an answer.
  public var answerLimit = 64 << 20
  /// The most bytes of one event of a watch: the API takes objects of 3 MiB.
  public var eventLimit = 8 << 20
  /// The most bytes of a watch that wait to be read.
  public var watchBacklog = 64 << 20
  /// Objects of a list that come in one answer.
  public var pageSize = 500
  /// The most objects of a list.
  public var listLimit = 1_000_000
  /// The most connections; with HTTP/2 one is enough for some hundred calls at once.
  public var connections = 64
  /// Calls that are made side by side where many are asked for at once.
  public var width = 16

  /// Whether the server only says what a change would come to, and keeps nothing of it (`dryRun=All`).
  public var isTrial = false

  /// Who changes what, as the API notes it with every field.
  public var fieldManager = "liburna"
  public var userAgent = "liburna"

  public init() {}

  /// Seconds before an attempt.
  func pause(before attempt: Int) -> Double {
    let full = min(longestPause, firstPause * Double(1 << min(attempt, 20)))
    return full * Double.random(in: 0.5...1)
  }
}
