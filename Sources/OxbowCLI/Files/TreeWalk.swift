import Volume

/// Goes through a tree of a volume, folder by folder, names in the order of their bytes. Takes
/// memory for the folders that it is in, and the number of each folder that it has met.
enum TreeWalk {
    struct Place {
        let path: [UInt8]
        let name: FileName?
        /// The folder that it is in; itself of where the walk began.
        let folder: InodeNumber
        let number: InodeNumber
        let attributes: Attributes
    }

    enum Step {
        /// A folder, before what is in it, and after.
        case enter(Place), leave(Place)
        case other(Place)
    }

    private struct Frame {
        let place: Place
        /// In reverse.
        var entries: [Listing]
    }

    static func run(
        _ tree: some FileTree,
        _ path: [UInt8],
        _ number: InodeNumber,
        _ body: (Step) throws -> Void
    ) throws {
        var frames: [Frame] = []
        var met: Set<InodeNumber> = []
        func visit(_ place: Place) throws {
            guard place.attributes.kind == .folder else { return try body(.other(place)) }
            guard met.insert(place.number).inserted else {
                throw Failure(
                    "damaged",
                    "folder \(Text.name(place.path)) is in two folders, or inside of itself: "
                        + "`oxbow check` says more"
                )
            }
            try body(.enter(place))
            frames.append(
                Frame(place: place, entries: try tree.entries(of: place.number).reversed())
            )
        }
        let attributes = try tree.attributes(of: number)
        try visit(
            Place(path: path, name: nil, folder: number, number: number, attributes: attributes)
        )
        while let last = frames.indices.last {
            guard let entry = frames[last].entries.popLast() else {
                try body(.leave(frames.removeLast().place))
                continue
            }
            let above = frames[last].place
            try visit(
                Place(
                    path: FileLocation.places(of: entry.name.bytes, in: above.path),
                    name: entry.name,
                    folder: above.number,
                    number: entry.number,
                    attributes: try tree.attributes(of: entry.number)
                )
            )
        }
    }
}
