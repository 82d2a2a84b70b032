// The bounds of the request language, in one place.

import ClusterModel

/// How much a user may write. Beyond any honest use, and small enough to refuse at once.
public enum RequestLimits {
  /// Bytes of one `-l`, `-p`, `--sql` or other option value.
  public static let textBytes = 64 * 1024
  /// Groups of one request, joined by `+`.
  public static let groups = 256
  /// Levels of one group.
  public static let levels = 32
  /// Shapes of one job, one `-l` each.
  public static let moldables = 64
  /// Bytes of a property name.
  public static let nameBytes = 64
  /// The largest count or walltime: what the columns of OAR's schema hold.
  public static let largestNumber = 2_147_483_647
  /// Parentheses, NOTs and signs within each other in a property expression.
  public static let nesting = 64
  /// Comparisons of one property expression.
  public static let comparisons = 4096
  /// Literals of one property expression; SQLite binds up to 32766 parameters.
  public static let literals = 16_384
  /// Bytes of a pattern of LIKE; SQLite matches patterns of up to 50000, and ours grow threefold.
  public static let patternBytes = 8192
  /// Arithmetic operators of one property expression; they nest, and SQLite bounds the depth.
  public static let arithmeticOperators = 128
  /// Bytes of a name within a job type, such as a container's.
  public static let typeNameBytes = 200
  /// Bytes of a script read for `#OAR` lines.
  public static let scriptBytes = 4 * 1024 * 1024
  /// `#OAR` lines of one script.
  public static let directives = 256
  /// Bytes of an array's parameter file.
  public static let parameterFileBytes = 64 * 1024 * 1024
  /// Jobs of one array.
  public static let arrayJobs = 1_000_000
}

extension RequestLimits {
  /// Refuses a text of more than `limit` bytes without looking at it.
  static func check(
    _ text: String, in subject: String, limit: Int = textBytes
  ) throws(RequestError) {
    let size = text.utf8.count
    guard size <= limit else {
      throw RequestError(
        .tooLarge, in: subject,
        value: String(text.unicodeScalars.prefix(RequestError.longestExcerpt)),
        problem: "is \(size) bytes long", allowed: "at most \(limit) bytes")
    }
  }
}
