// What can go wrong in a lab, told so that the reader knows which host, which step and what to do.

import Glibc

/// A failure of the lab: what was tried, on which host, and why it failed.
public struct LabError: Error, CustomStringConvertible, Equatable {
  /// The host concerned, or nil when it is the lab as a whole.
  public var host: String?
  public var message: String
  /// The last lines of the log that explains the failure, oldest first; may be empty.
  public var logTail: [String]

  public init(_ message: String, host: String? = nil, logTail: [String] = []) {
    self.host = host
    self.message = message
    self.logTail = logTail
  }

  public var description: String {
    let head = host.map { "\($0): \(message)" } ?? message
    return ([head] + logTail.map { "  | \($0)" }).joined(separator: "\n")
  }

  /// A failed system call: what it was for, the object, and the kernel's reason.
  static func system(_ action: String, _ object: String, _ error: Int32 = errno) -> LabError {
    LabError("cannot \(action) \(object): \(String(cString: strerror(error)))")
  }

  /// The same failure, said of a host unless it already names one.
  func at(_ host: String) -> LabError {
    var copy = self
    copy.host = copy.host ?? host
    return copy
  }
}
