// A channel: bytes between a person and a process of a job, through the server's connection.

import Wire

/// What both kinds of channel can do: a session of its own, and the terminal of an interactive attempt.
protocol Channel: AnyObject {
  /// Takes bytes from the person.
  func input(_ bytes: [UInt8])
  /// No more will come.
  func endInput()
  func resize(_ size: TerminalSize)
  /// The person is gone: nothing more is reported.
  func abandon()
  /// So many bytes more may be sent to the person.
  func grant(_ bytes: Int)
}

/// Where a channel's output and end go.
protocol ChannelOwner: AnyObject {
  func channel(_ number: Int, sent bytes: [UInt8])
  /// The process has taken so many bytes more: the person may send as many.
  func channel(_ number: Int, consumed count: Int)
  /// The raw wait status; the bytes were all sent before.
  func channel(_ number: Int, endedWith status: Int)
  func channel(_ number: Int, failed text: String)
}

/// What a program on a terminal is told when there is no more input: the character of Ctrl-D.
let endOfTransmission: UInt8 = 4

/// Counts consumed bytes, and lets them be granted again in pieces worth a message.
struct Consumption {
  private var count = 0

  /// Adds bytes. Returns what is to be granted now, if anything.
  mutating func add(_ bytes: Int) -> Int? {
    count += bytes
    guard count >= channelWindow / 4 else { return nil }
    defer { count = 0 }
    return count
  }
}
