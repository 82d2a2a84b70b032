// `--site`: the entry of the programs that can ask Kubernetes, for `bebida install` and `bebida uninstall`.

import Bebida
import Glibc
import KubernetesClient
import Wire

/// Makes a site ready for lending, or takes away what lending left.
public enum InstallProgram {
  /// The first word of a call.
  public static let word = "--site"

  /// Whether the words of a program (its name left out) are for the installation.
  public static func isCall(_ words: some Collection<String>) -> Bool { words.first == word }

  /// Does it, tells of it, and ends with 0 if all is done, else with 1.
  ///
  /// - Parameter words: `--site install|uninstall [NAME=VALUE …]`, as `bebida` writes them.
  public static func main(_ words: some Collection<String>) -> Never {
    signal(SIGPIPE, SIG_IGN)
    let loop = EventLoop()
    let words = Array(words.dropFirst())
    Task { exit(await answer(words)) }
    loop.run()
    exit(1)
  }

  private static func answer(_ words: [String]) async -> Int32 {
    do {
      guard let deed = words.first, ["install", "uninstall"].contains(deed),
        let options = options(words.dropFirst())
      else {
        write("bebida: unknown words \(words); install the same version of all packages", to: 2)
        return 1
      }
      let say: @Sendable (String) -> Void = { write($0, to: 1) }
      if deed == "install" {
        try await SiteInstallation(options, say: say).run()
      } else {
        try await SiteRemoval(options, say: say).run()
      }
      return 0
    } catch {
      write("[ERROR] \(error)", to: 2)
      if (error as? KubernetesError)?.status?.isForbidden == true {
        write("It needs the kubeconfig of an administrator: --kubeconfig FILE", to: 2)
      }
      return 1
    }
  }

  /// nil if there is a word that is not known.
  static func options(_ words: some Sequence<String>) -> SiteOptions? {
    var options = SiteOptions()
    for word in words {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let value = parts.count > 1 ? String(parts[1]) : ""
      switch parts[0] {
      case "dry-run": options.isTrial = true
      case "kubeconfig": options.kubeconfig = value
      case "context": options.context = value
      case "namespace": options.namespace = value
      case "output": options.output = value
      case "batch":
        guard let system = BatchSystem(rawValue: value) else { return nil }
        options.system = system
      default: return nil
      }
    }
    return options
  }

  private static func write(_ line: String, to descriptor: Int32) {
    var rest = Array("\(line)\n".utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 || errno == EINTR else { return }
      rest = rest.dropFirst(max(0, count))
    }
  }
}
