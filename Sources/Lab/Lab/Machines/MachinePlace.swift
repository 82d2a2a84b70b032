// Where the lab's files are on a machine, and the commands of a shell there. They hold names of ours
// and digits only, so that every login shell reads them as they are meant.

import Compositions
import Glibc

struct MachinePlace: Equatable {
  /// What all labs on a machine share.
  let base: String
  /// The lab's own directory.
  let directory: String

  init(base: String, lab: Lab) {
    self.base = base
    directory = "\(base)/labs/\(lab.group)-\(Self.ourselves)"
  }

  /// A fingerprint of this machine, so that labs of two machines don't meet on a third.
  private static var ourselves: String {
    let identity = Files.value("/etc/machine-id") ?? Files.value("/proc/sys/kernel/hostname") ?? ""
    return Fingerprint.short(identity)
  }

  var programs: String { base + "/programs" }
  /// The program that answers requests.
  var program: String { MachinePlace.program(in: directory) }
  /// There while the lab ends: whoever comes late to start a host is not to.
  var ended: String { MachinePlace.ended(in: directory) }
  /// The product's programs, where there are any.
  var products: String { directory + "/bin" }
  /// The lab of this one machine, as its program sees it.
  var lab: String { MachinePlace.lab(in: directory) }
  /// The part of ssh_config that names the lab's hosts.
  var sshHosts: String { MachinePlace.sshHosts(in: directory) }

  static func program(in directory: String) -> String { directory + "/program" }
  static func ended(in directory: String) -> String { directory + "/ended" }
  static func lab(in directory: String) -> String { directory + "/lab" }
  static func sshHosts(in directory: String) -> String { directory + "/lab/ssh_hosts" }

  // MARK: - Commands

  /// Runs a command as root: as it is, or with sudo.
  private static func asRoot(_ command: String) -> String {
    "sh -c 'S=; [ $(id -u) = 0 ] || S=\"sudo -n\"; exec $S \(command)'"
  }

  /// A shell of root's that reads a script.
  static let shell = asRoot("sh -s")

  /// Sends a request to the program.
  func command(_ request: MachineRequest) throws -> String {
    Self.asRoot("\(program) lab \(Lab.machineCommand) \(try request.word)")
  }

  /// Takes a program from standard input, under the digest of its content.
  func putCommand(_ digest: String) -> String {
    let new = "\(programs)/.\(digest).\(directory.split(separator: "/").last ?? "")"
    return Self.asRoot(
      "sh -c \"cat > \(new) && sha256sum \(new) | grep -q ^\(digest) && chmod 755 \(new) "
        + "&& mv -f \(new) \(programs)/\(digest)\"")
  }

  // MARK: - Scripts

  /// Makes the directories, and says which programs are there already.
  func reserveScript(_ digests: [String]) -> String {
    let asked = digests.map { "[ -x \(programs)/\($0) ] && echo lab:has \($0)\n" }.joined()
    return """
      umask 077
      mkdir -p \(products) \(programs) && chmod 755 \(products) && rm -f \(ended) || exit 1
      \(asked)exit 0

      """
  }

  /// Gives the programs their names in the lab.
  func linkScript(_ program: String, products digests: [(name: String, digest: String)]) -> String {
    let all = [(self.program, program)] + digests.map { ("\(products)/\($0.name)", $0.digest) }
    return all.map { "rm -f \($0.0) && ln \(programs)/\($0.1) \($0.0) || exit 1\n" }.joined()
  }

  /// Ends and removes everything of the lab, whatever there is of it. Where its program never came,
  /// or can't run there, nothing but files can be.
  func endScript(_ request: MachineRequest) throws -> String {
    """
    if [ -x \(program) ]; then
      \(program) lab \(Lab.machineCommand) \(try request.word)
      code=$?
      [ $code = 126 ] || [ $code = 127 ] || exit $code
    fi
    rm -rf \(directory)
    rmdir \(base)/labs 2>/dev/null && rm -rf \(programs) && rmdir \(base)
    exit 0

    """
  }
}
