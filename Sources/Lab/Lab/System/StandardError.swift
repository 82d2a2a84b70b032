// What a process of the lab says on its standard error, which is a log as a rule.

import Glibc

enum StandardError {
  /// Says a line, and gives the exit code of a process that ends for that reason.
  @discardableResult
  static func say(_ text: String) -> Int32 {
    let line = text + "\n"
    _ = write(STDERR_FILENO, line, line.utf8.count)
    return 1
  }
}
