// Software that was installed for a lab, beyond what its composition says. It is remembered beside the
// images, so that it outlives stops and restarts of the machine.

import Compositions
import Glibc

/// What `install` did for a lab.
struct Installation: Equatable, Codable {
  /// The composition that it was done for.
  var composition: String
  var software: InstalledSoftware
}

extension Lab {
  /// Installs software for the starts of a lab to come.
  ///
  /// - Parameter software: what it is; nil to find out.
  public func install(
    _ source: SoftwareSource, as software: Software?, for settings: LabSettings, program: String,
    progress: @escaping (LabProgress) -> Void
  ) throws -> InstalledSoftware {
    let composition = settings.composition
    let store = try ImageStore(program: program)
    let began = Deadline.now
    func say(_ step: String) {
      progress(LabProgress(host: nil, step: step, milliseconds: Int(Deadline.now - began)))
    }
    var packages = Set(composition.packages)
    for role in composition.roles { packages.formUnion(role.packages) }
    // The machine's own root takes programs that are shared, and those alone: see the store.
    let image =
      composition.root == .host
      ? .host
      : try store.prepare(
        composition.root, packages: packages.union(BaseSystem.packages).sorted(), progress: say)
    let installed = try store.install(source, kind: software, onto: image, progress: say)
    try Files.makeDirectories(Self.installations)
    try Kept.write(
      Installation(composition: composition.name, software: installed), to: installationPath)
    return installed
  }

  /// What was installed for this lab and a composition, or nil.
  public func installed(for composition: Composition) throws -> InstalledSoftware? {
    guard Files.exists(installationPath) else { return nil }
    let installation = try Kept.read(Installation.self, from: installationPath)
    return installation.composition == composition.name ? installation.software : nil
  }

  /// Lets the lab be as its composition says.
  public func forgetInstalled() throws { try Files.removeTree(installationPath) }

  /// Where installations are remembered: one place for all labs of somebody.
  private static var installations: String { ImageStore.standardDirectory + "/installed" }

  /// Labs of one name in two places have installations of their own.
  private var installationPath: String { "\(Self.installations)/\(group)" }
}

extension LabSettings {
  /// These settings with software that was installed in place of what the composition brings.
  public func with(_ installed: InstalledSoftware?) -> LabSettings {
    var settings = self
    settings.image = installed?.image
    if let programs = installed?.programs { settings.programs = programs }
    return settings
  }
}
