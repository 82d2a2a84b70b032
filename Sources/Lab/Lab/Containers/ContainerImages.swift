// Root file systems for containers: images of the store brought into the engine once, or images that
// the engine has or fetches.

import Compositions
import Glibc

struct ContainerImages {
  let engine: ContainerEngine
  /// The lab's group, for what is made on the way.
  let group: String

  // MARK: - Images of the store

  /// The engine's name of an image of the store, which is brought in unless it is there.
  func imported(_ image: Image, _ startup: Startup) throws -> String {
    // Not a tag of one repository: some versions of podman take no notice of tags here.
    let name = "\(ContainersBackend.repository)/\(image.key)"
    guard try !engine.hasImage(name) else { return name }
    startup.say("bringing \(image.origin) into \(engine.kind.rawValue)")
    let path = try ImageStore(program: startup.program).tarball(of: image) { startup.say($0) }
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw LabError.system("open", path) }
    defer { close(file) }
    try engine.importImage(name, from: file)
    return name
  }

  // MARK: - Images of the engine

  func pulled(_ name: String, _ role: Role, _ startup: Startup) throws -> PreparedRoot {
    let packages = startup.composition.packages + role.packages
    guard packages.isEmpty else {
      throw LabError(
        "packages (\(packages.joined(separator: ", "))) can't be added to root: image:\(name) here; "
          + "use an image that has them, or root: debian:bookworm")
    }
    if try !engine.hasImage(name) {
      startup.say("\(engine.kind.rawValue) fetches \(name)")
      try engine.pull(name)
    }
    let wanted = ["/etc/passwd", "/etc/group"] + BaseSystem.needs.map(\.0)
    let files = try engine.files(wanted, of: name, label: group)
    guard let passwd = files[0], let accounts = files[1] else {
      throw LabError("\(name) has no /etc/passwd or /etc/group; it is no system for hosts")
    }
    for (file, (program, package)) in zip(files.dropFirst(2), BaseSystem.needs) where file == nil {
      throw LabError("\(name) lacks \(program); use an image with the package \(package)")
    }
    return PreparedRoot(
      directories: [name], accounts: Accounts(passwd: passwd, group: accounts))
  }
}
