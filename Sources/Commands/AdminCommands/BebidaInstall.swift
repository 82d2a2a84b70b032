// bebida install, bebida uninstall: the words are checked here, and whether somebody still lends; liburnad or bebidad,
// which can ask Kubernetes, take the process over.

import CommandLine
import Wire

/// The options of `bebida install` and `bebida uninstall`.
enum BebidaSiteOption {
  static let dryRun = Key<Bool>.flag(
    "--dry-run", help: "With install and uninstall: only say what would be done")
  static let force = Key<Bool>.flag(
    "--force", help: "With uninstall: also while the lender runs")
  static let kubeconfig = Key<String?>.text(
    "--kubeconfig", value: "FILE",
    help: "With install and uninstall: of an administrator [$KUBECONFIG or ~/.kube/config]")
  static let context = Key<String?>.text(
    "--context", value: "NAME", help: "With install and uninstall: the context in it")
  static let namespace = Key<String?>.text(
    "--namespace", value: "NAME", help: "With install and uninstall: of the account [bebida]")
  static let batch = Key<String?>.text(
    "--batch", value: "SYSTEM",
    help: "With install and uninstall: slurm, oar or liburna, whose settings are told [slurm]")
  static let output = Key<String?>.text(
    "--output", value: "FILE",
    help: "With install and uninstall: the lender's kubeconfig [/etc/bebida/kubeconfig]")

  static let all: [any OptionKey] = [dryRun, force, kubeconfig, context, namespace, batch, output]
  static let texts = [kubeconfig, context, namespace, batch, output]
}

/// A call of `bebida install` or `bebida uninstall`.
struct BebidaSite {
  static let words = ["install", "uninstall"]
  private static let systems = ["slurm", "oar", "liburna"]
  /// The most characters of a namespace's name (RFC 1123).
  private static let nameLimit = 63

  let word: String
  let arguments: ParsedArguments
  let context: CommandContext

  /// Refuses options of install and uninstall for other words.
  static func refuseOptions(_ arguments: ParsedArguments) throws(UsageError) {
    guard let first = BebidaSiteOption.all.first(where: { arguments.has($0) }) else { return }
    throw UsageError(["--\(first.definition.name) goes with install and uninstall alone."])
  }

  /// Comes back only if it can't be done.
  func run() throws -> Int32 {
    let call = try words()
    if word == "uninstall", !arguments[BebidaSiteOption.force], !arguments[BebidaSiteOption.dryRun]
    {
      try refuseWhileLending()
    }
    OtherProgram.become(["bebidad", "liburnad"], call, in: context)
    throw CommandFailure(
      1, "[ERROR] Neither bebidad nor liburnad is installed here, which ask Kubernetes.",
      "Install the package liburna-bebida or liburna-server.")
  }

  /// The words for the other program.
  func words() throws(UsageError) -> [String] {
    var problems: [String] = []
    if arguments.operands.count > 1 {
      problems.append("\(word) takes no words, only options.")
    }
    if word == "install", arguments[BebidaSiteOption.force] {
      problems.append("--force goes with uninstall alone.")
    }
    if let batch = arguments[BebidaSiteOption.batch], !Self.systems.contains(batch) {
      problems.append(
        "--batch \"\(shortened(batch))\" is none of \(Self.systems.joined(separator: ", ")).")
    }
    if let name = arguments[BebidaSiteOption.namespace], !Self.isName(name) {
      problems.append(
        "--namespace \"\(shortened(name))\" is no name of a namespace: small letters, digits and -, at most "
          + "\(Self.nameLimit).")
    }
    if let path = arguments[BebidaSiteOption.output], !path.hasPrefix("/") || path.hasSuffix("/") {
      problems.append("--output \"\(shortened(path))\" is no absolute path of a file.")
    }
    for option in [BebidaSiteOption.kubeconfig, BebidaSiteOption.context]
    where arguments[option]?.isEmpty == true {
      problems.append("--\(option.definition.name) is empty.")
    }
    guard problems.isEmpty else { throw UsageError(problems) }
    var words = ["--site", word]
    if arguments[BebidaSiteOption.dryRun] { words.append("dry-run") }
    for option in BebidaSiteOption.texts {
      if let value = arguments[option] { words.append("\(option.definition.name)=\(value)") }
    }
    return words
  }

  private static func isName(_ name: String) -> Bool {
    let allowed = Set("abcdefghijklmnopqrstuvwxyz0123456789-")
    return !name.isEmpty && name.utf8.count <= nameLimit && name.allSatisfy(allowed.contains)
      && !name.hasPrefix("-") && !name.hasSuffix("-")
  }

  /// A lender would put back what is taken off.
  func refuseWhileLending() throws {
    do {
      _ = try context.ask(.lending(.show([])))
    } catch is ServerUnreachable {
      return
    } catch let refusal as Refusal where refusal.kind == .disabled {
      // A server that does not lend.
      return
    } catch is Refusal {
      // One that only starts.
    }
    throw CommandFailure(
      1, "[ERROR] Nothing was removed: the lender answers, and would put its marks back.",
      "Say bebida lend for all hosts, end bebidad (systemctl disable --now bebidad), or take BEBIDA_KUBECONFIG out "
        + "of oar.conf and restart liburnad; then ask again. --force removes all the same.")
  }
}
