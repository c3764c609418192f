module github.com/postern-dev/postern

go 1.26
