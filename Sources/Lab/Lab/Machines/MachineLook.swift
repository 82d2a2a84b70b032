// A look at machines before anything is changed: whether they can be reached, and whether they can be
// hosts. All of them are asked at once, and all that is wrong is told at once.

import Glibc

/// What a machine says of itself.
struct MachineLook: Equatable {
  var name: String
  /// Its address as ssh reached it, which the other hosts know it by.
  var address = ""
  var accounts = Accounts(passwd: "", group: "")
  /// Why it can't be a host; nil if it can.
  var problem: String?
  /// Whether it could not even be asked.
  var isUnreachable = false

  /// How long the look at one machine may take, in seconds.
  static let patience = 30

  /// Read by `sh -s`. Each line that is meant for us begins with `lab:`, for login shells may talk too.
  private static func script(packages: [String]) -> [UInt8] {
    let needs = BaseSystem.needs.map(\.0) + ["/usr/bin/sha256sum"]
    return Array(
      """
      echo "lab:uid $(id -u)"
      echo "lab:kind $(uname -s)/$(uname -m)"
      set -- $SSH_CONNECTION
      echo "lab:address $3"
      echo "lab:addresses $(hostname -I 2>/dev/null)"
      [ "$(id -u)" = 0 ] || w=$(sudo -n true 2>&1) || echo "lab:sudo" $w
      grep -qw overlay /proc/filesystems || modprobe -n overlay 2>/dev/null \\
        || /sbin/modprobe -n overlay 2>/dev/null || echo "lab:without overlay"
      for f in \(needs.joined(separator: " ")); do [ -x $f ] || echo "lab:lacks $f"; done
      for p in \(packages.joined(separator: " ")); do
        dpkg-query -W -f '${Status}' $p 2>/dev/null | grep -q 'ok installed' || echo "lab:wants $p"
      done
      sed 's/^/lab:passwd /' /etc/passwd
      sed 's/^/lab:group /' /etc/group
      echo lab:done

      """.utf8)
  }

  /// Looks at machines, in the order in which they are named.
  ///
  /// - Parameter packages: Debian packages that must be there, which can't be installed on machines.
  static func look(
    at names: [String], packages: [String] = [], _ ssh: Ssh, before deadline: Deadline
  ) -> [MachineLook] {
    let script = script(packages: packages)
    let calls = names.map { name in
      SshCall(
        words: ssh.words(to: name, "exec sh -s"), input: .bytes(script))
    }
    let answers = SshCalls.run(calls, before: deadline)
    return zip(names, answers).map { MachineLook(name: $0, $1) }
  }

  init(name: String, _ answer: SshAnswer) {
    self.name = name
    var facts: [String: [String]] = [:]
    for line in answer.text.split(separator: "\n") where line.hasPrefix("lab:") {
      let parts = line.dropFirst(4).split(separator: " ", maxSplits: 1).map(String.init)
      guard let key = parts.first else { continue }
      facts[key, default: []].append(parts.count > 1 ? parts[1] : "")
    }
    guard facts["done"] != nil else {
      problem = answer.reason
      isUnreachable = true
      return
    }
    accounts = Accounts(
      passwd: (facts["passwd"] ?? []).joined(separator: "\n"),
      group: (facts["group"] ?? []).joined(separator: "\n"))
    address = Self.address(facts) ?? ""
    problem = Self.problem(facts, address: address)
  }

  /// The address that ssh came to, or else the first one of version 4.
  private static func address(_ facts: [String: [String]]) -> String? {
    let all = [facts["address"]?.first ?? ""] + words(facts["addresses"]?.first ?? "")
    return all.first(where: isVersion4)
  }

  private static func words(_ text: String) -> [String] {
    text.split(separator: " ").map(String.init)
  }

  static func isVersion4(_ text: String) -> Bool { bytes(of: text) != nil }

  /// The four bytes of an address, in the order in which they are written.
  static func bytes(of text: String) -> [UInt8]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
    guard parts.count == 4, !parts.contains(nil) else { return nil }
    return parts.compactMap { $0 }
  }

  private static func problem(_ facts: [String: [String]], address: String) -> String? {
    var problems: [String] = []
    if let words = facts["sudo"]?.first {
      problems.append(
        "its user is not root and `sudo -n` does not make it root (\(words)); log in as root, or allow "
          + "that user to use sudo without a password")
    }
    let own = kind
    if let kind = facts["kind"]?.first, kind != own {
      problems.append("it is a machine of kind \(kind), but these programs are for \(own)")
    }
    if facts["without"] != nil {
      problems.append(
        "its kernel has no overlay file system, without which its own files would change")
    }
    for program in facts["lacks"] ?? [] {
      let package = BaseSystem.needs.first { $0.0 == program }?.1 ?? "coreutils"
      problems.append("\(program) is missing; install the package \(package) there")
    }
    if let packages = facts["wants"] {
      problems.append(
        "it lacks packages of the composition: \(packages.joined(separator: ", ")); install them there"
      )
    }
    if address.isEmpty {
      problems.append("it has no address of version 4 that other hosts could use")
    }
    return problems.isEmpty ? nil : problems.joined(separator: "; ")
  }

  /// The system and processor of this machine, as uname names them.
  private static var kind: String {
    var names = utsname()
    uname(&names)
    func text<Field>(_ field: Field) -> String {
      withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    return "\(text(names.sysname))/\(text(names.machine))"
  }

  // MARK: - Judging all

  /// Refuses machines that can't be hosts: all of them, each with its reason.
  static func judge(_ looks: [MachineLook]) throws {
    let silent = looks.filter(\.isUnreachable)
    if !silent.isEmpty {
      throw LabError(
        "\(silent.count) of \(looks.count) machines can't be reached; nothing was changed",
        logTail: lines(silent))
    }
    let unfit = looks.filter { $0.problem != nil }
    if !unfit.isEmpty {
      throw LabError(
        "\(unfit.count) of \(looks.count) machines can't be hosts; nothing was changed",
        logTail: lines(unfit))
    }
    var owners: [String: String] = [:]
    for look in looks {
      if let other = owners.updateValue(look.name, forKey: look.address) {
        throw LabError(
          "\(other) and \(look.name) are one machine: both have the address \(look.address)")
      }
      if look.address.hasPrefix("127."), looks.count > 1 {
        throw LabError(
          "\(look.name) has the address \(look.address), where other machines can't reach it; "
            + "name it as they do")
      }
    }
  }

  /// The most machines whose reasons are told.
  private static let toldLimit = 20

  static func lines(_ looks: [MachineLook]) -> [String] {
    let told = looks.prefix(toldLimit).map { "\($0.name): \($0.problem ?? "")" }
    return looks.count > toldLimit ? told + ["and \(looks.count - toldLimit) more"] : told
  }
}
