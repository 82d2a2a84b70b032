// Programs of other packages that take a command's process over: this one starts with every oarsub, in two
// milliseconds, and the libraries that they need would double that.

import CommandLine
import Glibc

enum OtherProgram {
  /// Becomes the first of these programs that is here; comes back if none is.
  ///
  /// - Parameter words: what it is called with, after its name.
  static func become(_ names: [String], _ words: [String], in context: CommandContext) {
    context.output.flush()
    for program in places(of: names, in: context) { replace(program, words) }
  }

  /// Where one may be: beside this program, where the packages have them, in PATH.
  private static func places(of names: [String], in context: CommandContext) -> [String] {
    var folders = ["/usr/lib/liburna", "/usr/lib/oar"]
    if let own = realpath("/proc/self/exe", nil) {
      defer { free(own) }
      let path = String(cString: own)
      if let slash = path.lastIndex(of: "/") { folders.insert(String(path[..<slash]), at: 0) }
    }
    folders += (context.variable("PATH") ?? "").split(separator: ":").map(String.init)
      .filter { $0.hasPrefix("/") }
    return names.flatMap { name in folders.map { "\($0)/\(name)" } }
  }

  /// Becomes the program; comes back if there is none.
  private static func replace(_ program: String, _ words: [String]) {
    guard access(program, X_OK) == 0 else { return }
    var arguments: [UnsafeMutablePointer<CChar>?] = ([program] + words).map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    execv(program, &arguments)
  }
}
