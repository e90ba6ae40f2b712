;; No manifest.
;; expect: refused manifest
;; without: manifest
