// Programs of the server that commands of this program become: they have what would make every oarsub start slower.

import CommandLine
import Glibc

enum ServerProgram {
  /// Becomes the first of these programs that is there, with these words; comes back if there is none.
  static func become(_ names: [String], words: [String], in context: CommandContext) {
    let folders = folders(in: context)
    for name in names {
      for folder in folders { replace("\(folder)/\(name)", words) }
    }
  }

  /// Where one may be: beside this program, where the packages have them, in PATH.
  private static func folders(in context: CommandContext) -> [String] {
    var folders = ["/usr/lib/liburna", "/usr/lib/oar"]
    if let own = realpath("/proc/self/exe", nil) {
      defer { free(own) }
      let path = String(cString: own)
      if let slash = path.lastIndex(of: "/") { folders.insert(String(path[..<slash]), at: 0) }
    }
    return folders
      + (context.variable("PATH") ?? "").split(separator: ":").map(String.init)
      .filter { $0.hasPrefix("/") }
  }

  private static func replace(_ program: String, _ words: [String]) {
    guard access(program, X_OK) == 0 else { return }
    var arguments: [UnsafeMutablePointer<CChar>?] = ([program] + words).map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    execv(program, &arguments)
  }
}
