// Signals by name and number, as Linux numbers them on x86 and ARM.

/// Reads and names signals.
public enum SignalName {
  /// The names of signals 1 to 31, in order.
  private static let names = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
  ]

  /// The numbers that a process can be sent; those after 31 are the real-time signals.
  public static let numbers = 1...64

  /// The number of a signal written as `USR1`, `SIGUSR1` (in any case) or `10`.
  public static func number(parsing text: String) throws(RequestError) -> Int {
    try RequestLimits.check(text, in: "signal")
    let word = text.trimmed
    if word.isAllDigits, let number = Int(word), numbers.contains(number) { return number }
    let lowered = word.asciiLowercased
    let bare = lowered.hasPrefix("sig") ? String(lowered.dropFirst(3)) : lowered
    if let index = names.firstIndex(where: { $0.asciiLowercased == bare }) { return index + 1 }
    throw RequestError(
      word.isAllDigits ? .outOfRange : .unknown, in: "signal", value: text,
      problem: text.isEmpty ? "the signal is missing" : "is not a signal",
      allowed: "1 to \(numbers.upperBound), " + names.joined(separator: ", "))
  }

  /// The name of a signal without `SIG`; its number if it has none.
  public static func name(of number: Int) -> String {
    names.indices.contains(number - 1) ? names[number - 1] : String(number)
  }
}
