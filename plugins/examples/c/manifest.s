    .section .custom_section.spoor.manifest,"",@
    .incbin "manifest.json"
